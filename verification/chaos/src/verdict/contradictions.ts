import type { TaskEvent } from '@taskledger/core'
import { checkHistory } from '@taskledger/core/testing'
import type { Evidence } from '../evidence/files.ts'
import { describeHistory, endOf, resultOf } from './history.ts'
import { runsOf } from './runs.ts'

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** What contradicts the histories: answers, rows and runs. Also histories that contradict the rules of the domain. */
export function* contradictions(evidence: Evidence): Iterable<string> {
  for (const line of evidence.submits) if (line.type === 'refused') yield `a submit was refused: ${line.why}`
  yield* inAnswers(evidence)
  for (const [taskId, history] of evidence.histories) yield* inTask(evidence, taskId, history)
  yield* inRuns(evidence)
}

function* inAnswers({ histories, clients }: Evidence): Iterable<string> {
  for (const line of clients) {
    const history = histories.get(line.taskId) ?? []
    const end = endOf(history)
    if (line.type === 'refused') yield `the ${line.what} of task ${line.taskId} was refused: ${line.why}`
    if (line.type === 'awaited') {
      if (line.status !== end?.status || !isSame(line.result, resultOf(end)))
        yield `an await of task ${line.taskId} gave ${line.status} ${JSON.stringify(line.result)}: ${describeHistory(history)}`
    }
    if (line.type === 'cancelAnswered') {
      const isRequested = history.some(({ type }) => type === 'TaskCancelRequested')
      const isTrue =
        line.outcome === 'finished'
          ? line.status === end?.status
          : isRequested && (line.outcome === 'requested' || end?.status === 'cancelled')
      if (!isTrue) yield `a cancel of task ${line.taskId} gave ${line.outcome} (${line.status}): ${describeHistory(history)}`
    }
  }
}

function* inTask({ listing, submits }: Evidence, taskId: string, history: readonly TaskEvent[]): Iterable<string> {
  for (const violation of checkHistory(history)) yield `task ${taskId}: ${violation}: ${describeHistory(history)}`
  const row = listing.get(taskId)
  const end = endOf(history)
  // A submit that was never acknowledged may have left a history of one event without a row.
  const isAcknowledged = submits.some((line) => line.type === 'acknowledged' && line.taskId === taskId)
  if (history.length === 0 || (row === undefined && history.length === 1 && !isAcknowledged)) return
  if (row?.version !== history.length || (end !== undefined && (row.status !== end.status || !isSame(row.result, resultOf(end)))))
    yield `task ${taskId} is listed as ${row?.status} at version ${row?.version}: ${describeHistory(history)}`
}

/** Each run needs a claim in the history, and each completion a run that returned. */
function* inRuns(evidence: Evidence): Iterable<string> {
  const runs = runsOf(evidence)
  for (const run of runs) {
    const history = evidence.histories.get(run.taskId) ?? []
    const isBy = (event: TaskEvent): boolean => event.node.startsWith(`${run.process}-`)
    if (!history.some((event) => event.type === 'TaskStarted' && event.attempt === run.attempt && isBy(event)))
      yield `${run.process} ran attempt ${run.attempt} of task ${run.taskId}: ${describeHistory(history)}`
  }
  const returned = new Set(runs.filter(({ how }) => how === 'returned').map(({ taskId, attempt }) => `${taskId} ${attempt}`))
  for (const [taskId, history] of evidence.histories)
    for (const event of history)
      if (event.type === 'TaskCompleted' && !returned.has(`${taskId} ${event.attempt}`))
        yield `task ${taskId} is completed by attempt ${event.attempt}, which did not return`
}
