import { Clients } from './cluster/clients.ts'
import { SimulatedCluster } from './cluster/cluster.ts'
import type { MakeEngine } from './world/engine.ts'
import type { Plan } from './plan/plan.ts'
import { drawPlan } from './plan/plan.ts'
import type { BrokenPromise, Observed } from './oracle/promises.ts'
import { brokenPromises, readStored } from './oracle/promises.ts'
import { World } from './world/world.ts'

/** What is simulated. */
export interface SimulationOptions {
  /** Brings all of it about again. A whole number. */
  readonly seed: number
  /** Makes the engines: `createMemory` of `@taskledger/memory`. */
  readonly engine: MakeEngine
  /** What happens, instead of what the seed would draw. */
  readonly plan?: Plan
  /** Whether to write down every step. Default false: it is slow. */
  readonly trace?: boolean
}

/** What came of a simulation. */
export interface SimulationReport {
  readonly seed: number
  readonly plan: Plan
  /** Nothing where all is well. */
  readonly broken: readonly BrokenPromise[]
  /** How many faults of the plan met something. */
  readonly faults: number
  /** How many calls left the processes. */
  readonly calls: number
  /** How much time passed in the cluster, in milliseconds. */
  readonly virtualMs: number
  /** When everything had come to its end, in milliseconds from the beginning; nothing where it did not. */
  readonly settledMs: number | undefined
  readonly trace: readonly string[]
}

/** How long after the last fault everything may take to come to its end, in milliseconds. */
const boundMs = 150_000
/** And how long at least: what could not be shown while they lasted is tried again within seconds. */
const quietMs = 5_000
/** How often a task waits for a time that one clock has set and another tells: before each attempt but the first. */
const mostWaits = 2
/** And after the beginning, where a fault is never over: a node that cannot start. */
const longestMs = 400_000
/** How often it is looked whether everything has. */
const lookMs = 500
/** How many timers a node at rest may have: the bounds of calls that began in the last eleven seconds, renewal, lease, janitor. */
const mostTimers = 18
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
  const clients = new Clients(world, (name) => cluster.named(name))
  const observed: Observed = { world, cluster, clients, outside: world.engine.storage() }
  const latestMs = boundMs + mostWaits * apartMs(plan)
  let faultsOverAt = 0
  let settledMs: number | undefined
  for (let atMs = lookMs; ; atMs += lookMs) {
    await world.time.runUntil(atMs)
    if (!cluster.isWhole || !world.isAnswered) faultsOverAt = atMs
    else if (atMs - faultsOverAt >= quietMs && clients.areSatisfied && isIdle(world) && (await isSettled(observed))) {
      settledMs = atMs
      break
    }
    if (atMs - faultsOverAt > latestMs || atMs > longestMs) break
  }
  // Once before the nodes close: a promise to whoever asked a node ends with it.
  const broken = [...brokenPromises(observed, await readStored(observed))]
  if (broken.length === 0) {
    broken.push(...(await closeAll(observed)))
    // A node that closes sends what waits for its time; nobody is left to take it.
    broken.push(...brokenPromises(observed, await readStored(observed)).filter(({ promise }) => promise !== 'queue'))
  }
  if (settledMs === undefined && broken.length === 0)
    broken.push({ promise: 'final', detail: `it did not come to rest within ${latestMs} ms` })
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

/** By how much clocks are apart at most, in milliseconds. */
const apartMs = ({ faults }: Plan): number => faults.reduce((sum, fault) => sum + (fault.type === 'skew' ? Math.abs(fault.skewMs) : 0), 0)

const isIdle = ({ engine }: World): boolean =>
  Object.values(engine.inspect().queues).every(({ waiting, delayed, running }) => waiting + delayed + running === 0)

/** Whether everything that comes about sooner or later has. */
const isSettled = async (observed: Observed): Promise<boolean> => {
  const stored = await readStored(observed)
  if (stored.unfinished.length > 0) return false
  const sooner = brokenPromises(observed, stored).filter(({ promise }) =>
    ['final', 'listing', 'await', 'cancel', 'queue'].includes(promise),
  )
  return sooner.length === 0 && observed.cluster.nodes.every(({ runs, isGone }) => isGone || runs.every(({ how }) => how !== 'runs'))
}

/** Closes every node, and looks what is left behind. */
const closeAll = async ({ world, cluster }: Observed): Promise<readonly BrokenPromise[]> => {
  const broken: BrokenPromise[] = []
  world.isClosing = true
  for (const { name, process } of cluster.current)
    if (process.pendingTimers > mostTimers)
      broken.push({ promise: 'timers', detail: `${name} has ${process.pendingTimers} timers at rest` })
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
