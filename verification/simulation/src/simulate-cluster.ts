import { Clients } from './cluster/clients.ts'
import { SimulatedCluster } from './cluster/cluster.ts'
import type { MakeEngine } from './world/engine.ts'
import type { Plan } from './plan/plan.ts'
import { drawPlan } from './plan/draw-plan.ts'
import { brokenPromises } from './oracle/broken-promises.ts'
import type { BrokenPromise } from './oracle/promises.ts'
import type { Observed } from './oracle/stored.ts'
import { readStored } from './oracle/stored.ts'
import { World } from './world/world.ts'

/** What is simulated. */
export interface SimulationOptions {
  /** Decides everything that happens. A whole number. */
  readonly seed: number
  /** Makes the engines: `createMemory` of `@taskledger/memory`. */
  readonly engine: MakeEngine
  /** Replaces the plan that the seed would draw. */
  readonly plan?: Plan
  /** Whether to write down every step. Default false: it is slow. */
  readonly trace?: boolean
}

/** The result of a simulation. */
export interface SimulationReport {
  readonly seed: number
  readonly plan: Plan
  /** Empty if every promise was kept. */
  readonly broken: readonly BrokenPromise[]
  /** How many faults of the plan hit something. */
  readonly faults: number
  /** How many calls left the processes. */
  readonly calls: number
  /** How much time passed in the cluster, in milliseconds. */
  readonly virtualMs: number
  /** When everything had come to its end, in milliseconds since the start; undefined if it did not. */
  readonly settledMs: number | undefined
  readonly trace: readonly string[]
}

/** How long after the last fault everything may take to come to its end, in milliseconds. */
const boundMs = 150_000
/** How long after the last fault a simulation runs at least, in milliseconds: what failed during the faults is retried within seconds. */
const quietMs = 5_000
/**
 * How long after the last fault a misplaced node is found by the others, and they by it, in milliseconds: two renewals, a read, and a renewal
 * more if the node finds only then that a beat of its own was lost.
 */
const tellMs = 2 * 5_000 + 5_000 + 5_000 + 3_000
/** The longest simulation, in milliseconds: a node that cannot start is a fault that never ends. */
const maxMs = 400_000
/** How often to check whether everything has come to its end, in milliseconds. */
const checkMs = 500
/** How many timers a node at rest may have: the bounds of calls that began in the last eleven seconds, renewal, lease, janitor. */
const maxTimers = 18
const closingMs = 60_000

/**
 * Simulates a cluster: three nodes with workers and a front-end, on virtual time and on engines that are given, with tasks, clients and
 * faults that follow from the seed. Reports which of the promises of docs/simulation.md were broken.
 */
export const simulateCluster = async ({
  seed,
  engine,
  plan = drawPlan(seed),
  trace = false,
}: SimulationOptions): Promise<SimulationReport> => {
  const world = new World(plan, engine, trace)
  const cluster = new SimulatedCluster(world)
  const clients = new Clients(world, (name) => (name === plan.misplaced?.node ? undefined : cluster.named(name)))
  const observed: Observed = { world, cluster, clients, outside: world.engine.storage() }
  // A purge begins when most faults are over.
  const latestMs = boundMs + (plan.purge?.atMs ?? 0)
  let faultsOverAt = 0
  let settledMs: number | undefined
  for (let atMs = checkMs; ; atMs += checkMs) {
    await world.time.runUntil(atMs)
    if (!cluster.isWhole || !world.isAnswered) faultsOverAt = atMs
    else if (
      atMs - faultsOverAt >= (plan.misplaced === undefined ? quietMs : tellMs) &&
      clients.areSatisfied &&
      isIdle(world) &&
      (await isSettled(observed))
    ) {
      settledMs = atMs
      break
    }
    if (atMs - faultsOverAt > latestMs || atMs > maxMs) break
  }
  // Check before the nodes close: closing a node ends its promises to callers.
  const broken = [...brokenPromises(observed, await readStored(observed))]
  if (broken.length === 0) {
    broken.push(...(await closeAll(observed)))
    // A closing node sends its delayed tasks, and no node is left to take them.
    broken.push(...brokenPromises(observed, await readStored(observed)).filter(({ promise }) => promise !== 'queue'))
  }
  if (settledMs === undefined && broken.length === 0)
    broken.push({ promise: 'final', detail: `not everything came to its end within ${latestMs} ms` })
  return {
    seed,
    plan,
    broken,
    faults: world.struck.size,
    calls: world.calls,
    virtualMs: world.time.elapsed(),
    settledMs,
    trace: world.traced ?? [],
  }
}

const isIdle = ({ engine }: World): boolean =>
  Object.values(engine.inspect().queues).every(({ waiting, delayed, running }) => waiting + delayed + running === 0)

/** Whether everything that has to happen sooner or later has happened. */
const isSettled = async (observed: Observed): Promise<boolean> => {
  const stored = await readStored(observed)
  if (stored.unfinished.length > 0) return false
  const unmet = brokenPromises(observed, stored).filter(({ promise }) =>
    ['final', 'listing', 'await', 'cancel', 'queue', 'poison', 'further', 'blocked'].includes(promise),
  )
  return unmet.length === 0 && observed.cluster.nodes.every(({ runs, isGone }) => isGone || runs.every(({ how }) => how !== 'runs'))
}

/** Closes every node, and checks what is left behind. */
const closeAll = async ({ world, cluster }: Observed): Promise<readonly BrokenPromise[]> => {
  const broken: BrokenPromise[] = []
  world.isClosing = true
  for (const { name, process } of cluster.current)
    if (process.pendingTimers > maxTimers) broken.push({ promise: 'timers', detail: `${name} has ${process.pendingTimers} timers at rest` })
  const open = new Set(cluster.current)
  for (const node of cluster.current)
    void node.shutDown(0).then(
      () => open.delete(node),
      (error: unknown) => broken.push({ promise: 'timers', detail: `${node.name} could not be closed: ${String(error)}` }),
    )
  await world.time.runUntil(world.time.elapsed() + closingMs)
  for (const { name } of open) broken.push({ promise: 'timers', detail: `${name} did not close within ${closingMs} ms` })
  for (const { name, process } of cluster.current)
    if (process.pendingTimers > 0) broken.push({ promise: 'timers', detail: `${name} left ${process.pendingTimers} timers behind` })
  return broken
}
