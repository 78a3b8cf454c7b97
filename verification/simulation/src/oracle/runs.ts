import { isDeepStrictEqual } from 'node:util'
import type { TaskCreated, TaskEvent } from '@taskledger/core/ports'
import type { BodyRun } from '../cluster/bodies.ts'
import { describeHistory, dueAtOf, endedAt, runsOf, shortId } from './check.ts'
import type { BrokenPromise } from './promises.ts'
import type { Observed, Stored } from './stored.ts'

/** How long a thawed node may continue until it is told, in milliseconds. */
const wakingMs = 1_000

/** How long a node that was suspended may continue: it looks at its clocks every second, and then asks the registry, which may not answer. */
const [resumingMs, resumingLongMs] = [2_500, 7_000]

/** How much too early a forged message may start a task: a message is believed as far as clocks are known, which is two renewals. */
const forgedMs = ({ plan }: Observed['world']): number => ((plan.forgeries ?? []).length > 0 ? 10_000 : 0)

/** Checks the runs of the bodies. */
export function* checkRuns({ cluster, world }: Observed, { histories }: Stored): Iterable<BrokenPromise> {
  const runs = [...runsOf(cluster)].sort((a, b) => a.startedAt - b.startedAt)
  for (const [index, run] of runs.entries()) {
    const [created] = histories.get(run.taskId) ?? []
    if (created?.type === 'TaskCreated' && !isStored(run, created))
      yield { promise: 'stored', detail: `${shortId(run.taskId)} ran as ${run.kind} with ${JSON.stringify(run.payload)}` }
    for (const later of runs.slice(index + 1)) {
      const isSameTask = later.taskId === run.taskId
      // The attempts of the next task of a key begin at 1 again, the tokens do not.
      if (isSameTask && later.attempt === run.attempt && later.fence === run.fence)
        yield {
          promise: 'oneNode',
          detail: `attempt ${run.attempt} of ${shortId(run.taskId)} ran on ${run.node.name} and on ${later.node.name}`,
        }
      else if (isSameTask && later.fence <= run.fence)
        yield {
          promise: 'fence',
          detail: `attempt ${run.attempt} of ${shortId(run.taskId)} on ${run.node.name} had ${run.fence}, and later attempt ${later.attempt} on ${later.node.name} ${later.fence}`,
        }
      const overlaps = later.startedAt < endedAt(run) && !isExcused(run, later.startedAt)
      if (!overlaps) continue
      if (later.taskId === run.taskId)
        yield {
          promise: 'overlap',
          detail: `attempt ${run.attempt} of ${shortId(run.taskId)} ran on ${run.node.name} from ${run.startedAt} to ${run.endedAt} ms, attempt ${later.attempt} on ${later.node.name} from ${later.startedAt} ms`,
        }
      else if (run.kind === 'serial' && later.kind === 'serial')
        yield {
          promise: 'serial',
          detail: `${shortId(run.taskId)} ran on ${run.node.name} from ${run.startedAt} to ${run.endedAt} ms, ${shortId(later.taskId)} on ${later.node.name} from ${later.startedAt} ms`,
        }
    }
    const history = histories.get(run.taskId) ?? []
    const isItsHistory = history.some((event) => event.type === 'TaskStarted' && event.fence === run.fence)
    const settlement = isItsHistory ? history.find((event) => isSettlement(event) && event.attempt === run.attempt) : undefined
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
        detail: `attempt ${run.attempt} of ${shortId(run.taskId)} ${run.how} on ${run.node.name}; ${describeHistory(history)}`,
      }
  }
  for (const [taskId, written] of world.written)
    for (const [index, { event, atMs }] of written.entries()) {
      const before = written[index - 1]
      if (event.type !== 'TaskStarted' || before === undefined) continue
      const { earliestMs } = world.whenShown(dueAtOf(before.event), before.event.node, before.atMs)
      if (atMs < earliestMs - roundingMs - forgedMs(world))
        yield {
          promise: 'due',
          detail: `${shortId(taskId)} was started ${earliestMs - atMs} ms before its time; ${describeHistory(written.map((each) => each.event))}`,
        }
    }
  for (const history of histories.values())
    for (const event of history)
      if (
        event.type === 'TaskDied' &&
        ![...world.plan.faults, ...world.struck].some(
          (fault) => 'node' in fault && fault.node !== undefined && event.diedOn.startsWith(`${fault.node}-`) && fault.type !== 'skew',
        ) &&
        cluster.nodes.every(({ name, couldStart }) => couldStart || !event.diedOn.startsWith(`${name}-`))
      )
        yield { promise: 'alive', detail: `${event.diedOn} was declared dead although it lived; ${describeHistory(history)}` }
}

/** Clocks show whole milliseconds. */
const roundingMs = 1

const isStored = ({ kind, payload }: BodyRun, { task }: TaskCreated): boolean =>
  task.type === kind && isDeepStrictEqual(task.payload, payload)

const isSettlement = (event: TaskEvent): event is Extract<TaskEvent, { attempt?: number }> =>
  ['TaskCompleted', 'TaskFailed', 'TaskCancelled', 'TaskReleased', 'TaskDied'].includes(event.type)

/** A frozen node cannot be stopped, only refused: its runs are excused until a moment after it thaws. So are bodies that ignore their signal. */
const isExcused = (run: BodyRun, fromMs: number): boolean => {
  if (run.kind === 'deaf' || run.kind === 'finishing') return true
  const frozen = run.node.frozen.find((each) => each.from >= run.startedAt - wakingMs && each.from <= fromMs && toldAt(each, run) >= fromMs)
  return frozen !== undefined && endedAt(run) <= toldAt(frozen, run)
}

const toldAt = ({ until, isSuspended }: BodyRun['node']['frozen'][number], { node: { world } }: BodyRun): number => {
  if (!isSuspended) return until + wakingMs
  const isAnswered = world.plan.faults.every(({ type }) => type === 'suspend' || type === 'skew')
  return until + (isAnswered ? resumingMs : resumingLongMs)
}
