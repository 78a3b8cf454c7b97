import type { Evidence } from '../evidence/files.ts'
import type { Asked, ClientLine } from '../evidence/lines.ts'
import { contradictions } from './contradictions.ts'
import { describeHistory, endOf, isFinal } from './history.ts'
import { againAfterKill, overlaps } from './runs.ts'
import type { Verdict } from './verdict.ts'

/** Judges a run by its evidence alone. It shares no code with the system but the rules of histories. */
export const check = (evidence: Evidence): Verdict => {
  const acknowledged = [...new Set(evidence.submits.filter(({ type }) => type === 'acknowledged').map(({ taskId = '' }) => taskId))]
  const byStatus: Record<string, number> = {}
  for (const taskId of acknowledged) {
    const status = endOf(evidence.histories.get(taskId))?.status ?? 'notEnded'
    byStatus[status] = (byStatus[status] ?? 0) + 1
  }
  const { overlapping, abortedAfterFreezeMs } = overlaps(evidence)
  // Without histories only the runs can be judged.
  const isOver = evidence.left !== undefined
  return {
    submitted: acknowledged.length,
    settled: acknowledged.length - (byStatus['notEnded'] ?? 0),
    byStatus,
    unknown: evidence.submits.filter(({ type }) => type === 'unknown').length,
    awaits: evidence.clients.filter(({ type }) => type === 'awaited').length,
    cancels: evidence.clients.filter(({ type }) => type === 'cancelAnswered').length,
    runs: evidence.runs.filter(({ type }) => type === 'started').length,
    faults: faultCounts(evidence),
    broken: {
      lost: isOver ? lost(evidence, acknowledged) : [],
      settledTwice: [...settledTwice(evidence)],
      overlapping,
      awaitsUnanswered: isOver ? unanswered(evidence) : [],
      contradictions: isOver ? [...contradictions(evidence)] : [],
      crashed: evidence.faults.filter((line) => line.type === 'ended' && line.why === 'crashed').map((line) => JSON.stringify(line)),
      leftOver: [...leftOver(evidence)],
    },
    abortedAfterFreezeMs,
    againAfterKillMs: againAfterKill(evidence),
  }
}

const faultCounts = ({ faults }: Evidence): Readonly<Record<string, number>> => {
  const kinds = Map.groupBy(
    faults.flatMap((line) => (line.type === 'injected' ? [/^\w+/.exec(line.fault)?.[0] ?? ''] : [])),
    (kind) => kind,
  )
  return Object.fromEntries([...kinds].map(([kind, lines]) => [kind, lines.length]))
}

const lost = ({ histories, listing }: Evidence, acknowledged: readonly string[]): readonly string[] => {
  // A submit with an unknown outcome may have left a task: once it is listed, it has to end too.
  const ids = new Set([...acknowledged, ...listing.keys()])
  return [...ids].filter((id) => endOf(histories.get(id)) === undefined).map((id) => `task ${id}: ${describeHistory(histories.get(id))}`)
}

function* settledTwice({ histories, clients, submits }: Evidence): Iterable<string> {
  for (const [taskId, history] of histories)
    if (history.filter(isFinal).length > 1) yield `task ${taskId} has two ends: ${describeHistory(history)}`
  const ends = new Map<string, string>()
  for (const line of clients) {
    if (line.type !== 'awaited') continue
    const end = `${line.status} ${JSON.stringify(line.result)}`
    const before = ends.get(line.taskId)
    if (before !== undefined && before !== end) yield `awaits of task ${line.taskId} gave ${before}, and ${end}`
    ends.set(line.taskId, end)
  }
  const keys = new Map<string, string>()
  for (const { type, key, taskId = '' } of submits) {
    if (type !== 'acknowledged' || key === undefined) continue
    const before = keys.get(key)
    if (before !== undefined && before !== taskId) yield `the key ${key} was acknowledged as ${before}, and as ${taskId}`
    keys.set(key, taskId)
  }
}

/** Requests without an answer, of clients that were not killed. */
const unanswered = ({ clients, faults }: Evidence): readonly string[] => {
  const killed = new Set(faults.flatMap((line) => (line.type === 'ended' && line.why === 'killed' ? [line.process] : [])))
  const nameOf = (line: ClientLine): string => {
    const what = line.type === 'awaited' ? 'await' : line.type === 'cancelAnswered' ? 'cancel' : line.what
    return `${what} of task ${line.taskId} by ${line.process}`
  }
  const answered = new Set(clients.filter(({ type }) => type !== 'asked').map(nameOf))
  return clients
    .filter((line): line is Asked => line.type === 'asked' && !killed.has(line.process))
    .map(nameOf)
    .filter((name) => !answered.has(name))
}

function* leftOver({ left, listing }: Evidence): Iterable<string> {
  if (left === undefined) return yield 'the run did not come to its end: only overlaps can be judged'
  if (!left.isSettled) yield `not everything was at rest after ${left.settledAfterMs} ms`
  for (const [queue, count] of Object.entries(left.messages)) yield `${count} messages are left in ${queue}`
  for (const { taskId, status } of listing.values())
    if (['waiting', 'inProgress', 'cancelRequested'].includes(status)) yield `task ${taskId} is still listed as ${status}`
}
