import type { TaskStorage, TaskDetails, TaskEvent, TaskId } from '@taskledger/core/ports'
import { isFinalEvent, isFinalStatus } from '@taskledger/core/ports'
import { checkHistory } from '@taskledger/core/testing'
import { detailsOf } from '@taskledger/core/ports'
import { isDeepStrictEqual } from 'node:util'
import type { BodyRun } from '../cluster/bodies.ts'
import type { Clients } from '../cluster/clients.ts'
import type { SimulatedCluster } from '../cluster/cluster.ts'
import type { World } from '../world/world.ts'

/** What a cluster promises under faults, each in a sentence. */
export const promises = {
  final: 'every acknowledged task comes to its end, and so does every task that is listed',
  history: 'every history is one that the rules of the domain allow, with one final event',
  listing: 'the listing says what the histories say',
  queue: 'nothing is left in the queues, and nothing among the dead letters',
  unfinished: 'no row is left unfinished',
  key: 'an idempotency key stands for one task',
  await: 'every await is answered, with what the history says',
  awaitInTime: 'once faults are over, an await is answered within seconds of the end',
  cancel: 'an acknowledged cancel is honoured, or its caller told otherwise',
  cancelInTime: 'once faults are over, a body is told within seconds of a wish to cancel',
  oneNode: 'no attempt is run twice',
  overlap: 'no two runs of a task overlap, but with those of a frozen node and of bodies that ignore their signal',
  serial: 'no two tasks of a serial queue run at the same time, but with those of a frozen node',
  ending: 'an attempt ends in its history as it ended',
  alive: 'no node is declared dead that was neither stopped nor cut off by itself',
  once: 'without faults the message of a task that does not wait for its time is sent once',
  prompt: 'without faults a task begins within seconds, where there is room',
  due: 'no task begins before its time',
  timers: 'no timer is left behind',
  truth: 'nobody is told what is not so',
} as const

/** A promise, by its name. */
export type PromiseName = keyof typeof promises

/** A promise that was broken, and how. */
export interface BrokenPromise {
  readonly promise: PromiseName
  readonly detail: string
}

/** How long after the end an await is answered, and a body told of a cancel, in milliseconds. */
const inTimeMs = 3_000

/** How much later a body is told of a cancel whose notice was lost, in milliseconds: at the next renewal. */
const renewalMs = 6_000

/** For how long a node that wakes may go on until it is told, in milliseconds. */
const wakingMs = 1_000

export interface Observed {
  readonly world: World
  readonly cluster: SimulatedCluster
  readonly clients: Clients
  /** A client of the engines that belongs to no node. */
  readonly outside: TaskStorage
}

/** What the engines say in the end. */
export interface Stored {
  readonly histories: ReadonlyMap<TaskId, readonly TaskEvent[]>
  readonly rows: ReadonlyMap<TaskId, TaskDetails>
  readonly unfinished: readonly TaskDetails[]
}

export const readStored = async ({ outside }: Observed): Promise<Stored> => {
  const histories = new Map<TaskId, readonly TaskEvent[]>()
  for await (const taskId of outside.events.histories()) histories.set(taskId, await outside.events.read(taskId))
  const { tasks } = await outside.listing.list({}, { limit: 1_000 })
  const unfinished: TaskDetails[] = []
  for await (const row of outside.listing.unfinished({ shard: 0, of: 1 })) unfinished.push(row)
  return { histories, rows: new Map(tasks.map((row) => [row.taskId, row])), unfinished }
}

type Check = (observed: Observed, stored: Stored) => Iterable<BrokenPromise>

const short = (taskId: TaskId): string => taskId.slice(-8)

const told = (history: readonly TaskEvent[]): string =>
  history.map((event) => `${event.type}${'attempt' in event ? ` ${event.attempt}` : ''} (${event.node.slice(0, 1)})`).join(', ')

/** What is there in the end. */
function* checkEnds({ clients, world }: Observed, { histories, rows, unfinished }: Stored): Iterable<BrokenPromise> {
  for (const [{ index, kind }, taskIds] of clients.acknowledged) {
    for (const taskId of new Set(taskIds)) {
      const history = histories.get(taskId) ?? []
      const last = history.at(-1)
      if (last === undefined || !isFinalEvent(last))
        yield { promise: 'final', detail: `${kind} ${index} (${short(taskId)}): ${told(history) || 'no history'}` }
    }
    if (new Set(taskIds).size > 1) yield { promise: 'key', detail: `${kind} ${index} was acknowledged as ${taskIds.join(' and ')}` }
  }
  for (const [taskId, history] of histories) {
    for (const violation of checkHistory(history)) yield { promise: 'history', detail: `${short(taskId)}: ${violation}; ${told(history)}` }
    const row = rows.get(taskId)
    const last = history.at(-1)
    // A submit that was never acknowledged may have left a history that nobody was told of, and that no list shows.
    if (row === undefined && ![...clients.acknowledged.values()].flat().includes(taskId)) continue
    if (last !== undefined && !isFinalEvent(last)) yield { promise: 'final', detail: `${short(taskId)} is listed: ${told(history)}` }
    const details = detailsOf(history)
    if (!isDeepStrictEqual(row, details))
      yield { promise: 'listing', detail: `${short(taskId)}: listed ${JSON.stringify(row)}, is ${JSON.stringify(details)}` }
  }
  for (const row of unfinished) yield { promise: 'unfinished', detail: `${short(row.taskId)} is ${row.status} at version ${row.version}` }
  for (const [queue, { waiting, delayed, running, deadLetters }] of Object.entries(world.engine.inspect().queues))
    if (waiting + delayed + running + deadLetters > 0)
      yield {
        promise: 'queue',
        detail: `${queue} has ${waiting} waiting, ${delayed} delayed, ${running} running, ${deadLetters} dead letters`,
      }
}

function* checkAnswers({ clients, world }: Observed, { histories }: Stored): Iterable<BrokenPromise> {
  for (const lie of clients.lies) yield { promise: 'truth', detail: lie }
  for (const { taskId, node, answer, atMs, answeredAt = 0 } of clients.awaits) {
    if (answer === undefined) {
      if (!node.isGone) yield { promise: 'await', detail: `${short(taskId)} is still awaited on ${node.name} since ${atMs} ms` }
      continue
    }
    const history = histories.get(taskId) ?? []
    if (!isDeepStrictEqual(answer, detailsOf(history)))
      yield { promise: 'await', detail: `${short(taskId)}: told ${answer.status}; ${told(history)}` }
    const end = endOf(world, taskId)
    const dueAt = Math.max(end, atMs, world.wakefulAtMs) + inTimeMs
    if (answeredAt > dueAt)
      yield {
        promise: 'awaitInTime',
        detail: `${short(taskId)} ended at ${end} ms, the await on ${node.name} was answered at ${answeredAt} ms`,
      }
  }
  for (const { taskId, node, answer, answeredAt = 0 } of clients.cancels) {
    if (answer === undefined) {
      if (!node.isGone) yield { promise: 'cancel', detail: `the cancel of ${short(taskId)} on ${node.name} was not answered` }
      continue
    }
    const history = histories.get(taskId) ?? []
    const { status = 'none' } = detailsOf(history) ?? {}
    const isKept =
      answer.outcome === 'cancelled'
        ? status === 'cancelled'
        : answer.outcome === 'finished'
          ? isFinalStatus(answer.details.status) && status === answer.details.status
          : ['cancelled', 'completed', 'failed'].includes(status)
    if (!isKept) yield { promise: 'cancel', detail: `${short(taskId)}: told ${answer.outcome} at ${answeredAt} ms; ${told(history)}` }
  }
}

const endOf = (world: World, taskId: TaskId): number => world.written.get(taskId)?.find(({ event }) => isFinalEvent(event))?.atMs ?? 0

function* checkCancelTold({ world, cluster }: Observed): Iterable<BrokenPromise> {
  for (const [taskId, written] of world.written) {
    const wish = written.find(({ event }) => event.type === 'TaskCancelRequested')
    if (wish === undefined) continue
    for (const run of runsOf(cluster)) {
      // Where the notice may be lost, the wish is met at the next renewal.
      const dueAt = Math.max(wish.atMs, run.startedAt, world.calmAtOf(run.node.name)) + inTimeMs + (world.struck.size > 0 ? renewalMs : 0)
      const heededAt = Math.min(run.abortedAt ?? Infinity, endedAt(run))
      if (run.taskId === taskId && heededAt > dueAt && run.how !== 'died' && !run.node.isGone)
        yield {
          promise: 'cancelInTime',
          detail: `${short(taskId)}: wished at ${wish.atMs} ms, attempt ${run.attempt} on ${run.node.name} was told at ${heededAt} ms`,
        }
    }
  }
}

const runsOf = (cluster: SimulatedCluster): readonly BodyRun[] => cluster.nodes.flatMap(({ runs }) => runs)

const endedAt = ({ endedAt: at = Infinity }: BodyRun): number => at

/** What the runs of bodies were like. */
function* checkRuns({ cluster, world }: Observed, { histories }: Stored): Iterable<BrokenPromise> {
  const runs = [...runsOf(cluster)].sort((a, b) => a.startedAt - b.startedAt)
  for (const [index, run] of runs.entries()) {
    for (const later of runs.slice(index + 1)) {
      if (later.taskId === run.taskId && later.attempt === run.attempt)
        yield {
          promise: 'oneNode',
          detail: `attempt ${run.attempt} of ${short(run.taskId)} ran on ${run.node.name} and on ${later.node.name}`,
        }
      const overlaps = later.startedAt < endedAt(run) && !isExcused(run, later.startedAt)
      if (!overlaps) continue
      if (later.taskId === run.taskId)
        yield {
          promise: 'overlap',
          detail: `attempt ${run.attempt} of ${short(run.taskId)} ran on ${run.node.name} from ${run.startedAt} to ${run.endedAt} ms, attempt ${later.attempt} on ${later.node.name} from ${later.startedAt} ms`,
        }
      else if (run.kind === 'serial' && later.kind === 'serial')
        yield {
          promise: 'serial',
          detail: `${short(run.taskId)} ran on ${run.node.name} from ${run.startedAt} to ${run.endedAt} ms, ${short(later.taskId)} on ${later.node.name} from ${later.startedAt} ms`,
        }
    }
    const settlement = histories.get(run.taskId)?.find((event) => isSettlement(event) && event.attempt === run.attempt)
    if (settlement === undefined || !settlement.node.startsWith(run.node.name)) continue
    const isTrue =
      run.how === 'returned'
        ? settlement.type === 'TaskCompleted' || settlement.type === 'TaskDied'
        : run.how === 'threw'
          ? settlement.type !== 'TaskCompleted'
          : true
    if (!isTrue && run.abortedAt === undefined)
      yield {
        promise: 'ending',
        detail: `attempt ${run.attempt} of ${short(run.taskId)} ${run.how} on ${run.node.name}; ${told(histories.get(run.taskId) ?? [])}`,
      }
  }
  for (const history of histories.values())
    for (const [index, event] of history.entries())
      if (event.type === 'TaskStarted' && event.at < dueAtOf(history[index - 1]))
        yield {
          promise: 'due',
          detail: `${short(event.taskId)} was started ${dueAtOf(history[index - 1]) - event.at} ms before its time; ${told(history)}`,
        }
      else if (
        event.type === 'TaskDied' &&
        !world.plan.faults.some(
          (fault) => 'node' in fault && fault.node !== undefined && event.diedOn.startsWith(`${fault.node}-`) && fault.type !== 'skew',
        ) &&
        cluster.nodes.every(({ name, couldStart }) => couldStart || !event.diedOn.startsWith(`${name}-`))
      )
        yield { promise: 'alive', detail: `${event.diedOn} was declared dead, which lived; ${told(history)}` }
}

const isSettlement = (event: TaskEvent): event is Extract<TaskEvent, { attempt?: number }> =>
  ['TaskCompleted', 'TaskFailed', 'TaskCancelled', 'TaskReleased', 'TaskDied'].includes(event.type)

/** Before when a task may not begin that waits since this event. */
const dueAtOf = (event: TaskEvent | undefined): number =>
  event === undefined ? 0 : event.type === 'TaskCreated' ? (event.notBefore ?? 0) : 'retryAt' in event ? (event.retryAt ?? 0) : 0

/** A frozen node cannot be stopped, only refused: what ran on it, and a moment after it wakes. A body that ignores its signal, neither. */
const isExcused = (run: BodyRun, fromMs: number): boolean => {
  if (run.kind === 'deaf' || run.kind === 'finishing') return true
  const frozen = run.node.frozen.find(({ from, until }) => from >= run.startedAt - wakingMs && from <= fromMs && until + wakingMs >= fromMs)
  return frozen !== undefined && endedAt(run) <= frozen.until + wakingMs
}

/** What holds where nothing is done to a cluster. */
function* checkUndisturbed({ world, cluster, clients }: Observed, { histories }: Stored): Iterable<BrokenPromise> {
  if (world.struck.size > 0 || world.plan.faults.length > 0) return
  for (const [task, taskIds] of clients.acknowledged) {
    const [taskId] = taskIds
    // By a key it may be submitted again. One that waits for its time is taken over where its node has just joined, and is not known yet.
    if (taskId === undefined || task.key !== undefined || task.notBeforeMs !== undefined || task.failures > 0) continue
    const sent = world.sendsOf(taskId)
    if (sent > 1) yield { promise: 'once', detail: `${short(taskId)} was sent ${sent} times; ${told(histories.get(taskId) ?? [])}` }
  }
  const room = (atMs: number, untilMs: number): boolean =>
    runsOf(cluster).filter((run) => run.startedAt < untilMs && endedAt(run) > atMs).length < 2
  for (const [taskId, written] of world.written)
    for (const [index, { event, atMs }] of written.entries()) {
      const isWaiting = event.type === 'TaskCreated' || (event.type === 'TaskFailed' && event.retryAt !== undefined)
      if (!isWaiting || (event.type === 'TaskCreated' && event.queue === 'serial')) continue
      const next = written[index + 1]
      const dueAt = Math.max(atMs, dueAtOf(event) - world.time.startAt) + inTimeMs
      if (next !== undefined && next.atMs > dueAt && room(atMs, next.atMs))
        yield { promise: 'prompt', detail: `${short(taskId)} waited from ${atMs} to ${next.atMs} ms` }
    }
}

const checks: readonly Check[] = [checkEnds, checkAnswers, checkCancelTold, checkRuns, checkUndisturbed]

/** The promises that are broken as things stand. */
export const brokenPromises = (observed: Observed, stored: Stored): readonly BrokenPromise[] =>
  checks.flatMap((check) => [...check(observed, stored)])
