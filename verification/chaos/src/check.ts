import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskEvent } from '@taskledger/core'
import { checkHistory } from '@taskledger/core/testing'
import type {
  Asked,
  ClientLine,
  Ended,
  EvidenceKind,
  EvidenceLines,
  FaultLine,
  Frozen,
  Left,
  Row,
  RunLine,
  SubmitLine,
} from './evidence.ts'

/** All that is known of a run. */
export interface Evidence {
  readonly runs: readonly RunLine[]
  readonly submits: readonly SubmitLine[]
  readonly clients: readonly ClientLine[]
  readonly faults: readonly FaultLine[]
  readonly histories: ReadonlyMap<string, readonly TaskEvent[]>
  readonly listing: ReadonlyMap<string, Row>
  readonly left: Left | undefined
}

/** What of a run has to be nothing. */
export const brokenKinds = ['lost', 'settledTwice', 'overlapping', 'awaitsUnanswered', 'lies', 'crashed', 'leftOver'] as const

export type BrokenKind = (typeof brokenKinds)[number]

/** What came out of a run. */
export interface Verdict {
  /** Submits that were acknowledged, a key once. */
  readonly submitted: number
  /** How many of them have ended. */
  readonly settled: number
  /** How many acknowledged tasks ended how. */
  readonly byStatus: Readonly<Record<string, number>>
  readonly unknown: number
  readonly awaits: number
  readonly cancels: number
  readonly runs: number
  /** How many faults of each sort struck. */
  readonly faults: Readonly<Record<string, number>>
  /** A sentence for each broken promise. */
  readonly broken: Readonly<Record<BrokenKind, readonly string[]>>
  /** For each run that went on when its frozen process woke: how long until it was told, in milliseconds. */
  readonly toldAfterFreezeMs: readonly number[]
  /** For each run that a SIGKILL ended: how long until its task ran again, in milliseconds. */
  readonly againAfterKillMs: readonly number[]
}

/** For how long a process that wakes may go on until its bodies are told, in milliseconds. */
const wakingMs = 2_000

/** What the files of a folder say. A line that was cut short by a SIGKILL is the last of its file, and is left out. */
export const readEvidence = (folder: string): Evidence => {
  return {
    runs: linesOf(folder, 'runs'),
    submits: linesOf(folder, 'submits'),
    clients: linesOf(folder, 'clients'),
    faults: linesOf(folder, 'faults'),
    histories: new Map(linesOf(folder, 'histories').map(({ taskId, events }) => [taskId, events])),
    listing: new Map(linesOf(folder, 'listing').map((row) => [row.taskId, row])),
    left: linesOf(folder, 'left').at(-1),
  }
}

const linesOf = <Kind extends EvidenceKind>(folder: string, kind: Kind): readonly EvidenceLines[Kind][] =>
  readdirSync(folder)
    .filter((name) => name.startsWith(`${kind}.`) && name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as EvidenceLines[Kind])

/** Judges a run by what was noted of it: it asks nobody, and shares nothing with the system but the rules of histories. */
export const check = (evidence: Evidence): Verdict => {
  const acknowledged = [...new Set(evidence.submits.filter(({ type }) => type === 'acknowledged').map(({ taskId = '' }) => taskId))]
  const byStatus: Record<string, number> = {}
  for (const taskId of acknowledged) {
    const status = endOf(evidence.histories.get(taskId))?.status ?? 'notEnded'
    byStatus[status] = (byStatus[status] ?? 0) + 1
  }
  const { overlapping, toldAfterFreezeMs } = overlaps(evidence)
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
    faults: struck(evidence),
    broken: {
      lost: isOver ? lost(evidence, acknowledged) : [],
      settledTwice: [...settledTwice(evidence)],
      overlapping,
      awaitsUnanswered: isOver ? unanswered(evidence) : [],
      lies: isOver ? [...lies(evidence)] : [],
      crashed: evidence.faults.filter((line) => line.type === 'ended' && line.why === 'crashed').map((line) => JSON.stringify(line)),
      leftOver: [...leftOver(evidence)],
    },
    toldAfterFreezeMs,
    againAfterKillMs: againAfterKill(evidence),
  }
}

const struck = ({ faults }: Evidence): Readonly<Record<string, number>> => {
  const sorts = Map.groupBy(
    faults.flatMap((line) => (line.type === 'struck' ? [/^\w+/.exec(line.fault)?.[0] ?? ''] : [])),
    (sort) => sort,
  )
  return Object.fromEntries([...sorts].map(([sort, lines]) => [sort, lines.length]))
}

/** Whether all but the counts that may be anything is nothing. */
export const isAllWell = ({ broken }: Verdict): boolean => brokenKinds.every((kind) => broken[kind].length === 0)

interface End {
  readonly status: string
  readonly event: TaskEvent
}

const isFinal = (event: TaskEvent): boolean =>
  event.type === 'TaskCompleted' ||
  event.type === 'TaskCancelled' ||
  ((event.type === 'TaskFailed' || event.type === 'TaskDied') && event.retryAt === undefined)

const statusOf: Readonly<Partial<Record<TaskEvent['type'], string>>> = {
  TaskCompleted: 'completed',
  TaskCancelled: 'cancelled',
  TaskFailed: 'failed',
  TaskDied: 'died',
}

/** How a history ended, if it did. Where a wish met the death of a node, the cancellation stands after the death. */
const endOf = (history: readonly TaskEvent[] = []): End | undefined => {
  const event = history.at(-1)
  return event !== undefined && isFinal(event) ? { status: statusOf[event.type] ?? '', event } : undefined
}

const resultOf = (end: End | undefined): unknown => (end?.event.type === 'TaskCompleted' ? end.event.result : undefined)

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

const told = (history: readonly TaskEvent[] = []): string =>
  history.map((event) => `${event.type}${'attempt' in event ? ` ${event.attempt}` : ''} by ${event.node}`).join(', ') || 'no history'

const lost = ({ histories, listing }: Evidence, acknowledged: readonly string[]): readonly string[] => {
  // A submit that nobody was told of may have left a task: once it is listed, it has to end too.
  const ids = new Set([...acknowledged, ...listing.keys()])
  return [...ids].filter((id) => endOf(histories.get(id)) === undefined).map((id) => `task ${id}: ${told(histories.get(id))}`)
}

function* settledTwice({ histories, clients, submits }: Evidence): Iterable<string> {
  for (const [taskId, history] of histories) if (history.filter(isFinal).length > 1) yield `task ${taskId} has two ends: ${told(history)}`
  const ends = new Map<string, string>()
  for (const line of clients) {
    if (line.type !== 'awaited') continue
    const end = `${line.status} ${JSON.stringify(line.result)}`
    const before = ends.get(line.taskId)
    if (before !== undefined && before !== end) yield `task ${line.taskId} was told to have ended as ${before}, and as ${end}`
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

/** One run of a body. */
interface Run {
  readonly taskId: string
  readonly attempt: number
  readonly process: string
  readonly from: number
  /** When it stopped, or its process was gone. */
  readonly until: number
  readonly toldAt: number | undefined
  /** Nothing where its process ended first. */
  readonly how: 'returned' | 'threw' | 'aborted' | undefined
}

const runsOf = ({ runs, faults }: Evidence): readonly Run[] => {
  const goneAt = new Map(faults.filter((line): line is Ended => line.type === 'ended').map(({ process, at }) => [process, at]))
  const nameOf = ({ taskId, attempt, process }: RunLine): string => `${taskId} ${attempt} ${process}`
  const told = new Map(runs.flatMap((line) => (line.type === 'told' ? [[nameOf(line), line.at]] : [])))
  const stopped = new Map(runs.flatMap((line) => (line.type === 'stopped' ? [[nameOf(line), line]] : [])))
  return runs.flatMap((line): readonly Run[] => {
    if (line.type !== 'started') return []
    const { taskId, attempt, process, at: from } = line
    const stop = stopped.get(nameOf(line))
    const until = stop?.at ?? goneAt.get(process) ?? Infinity
    return [{ taskId, attempt, process, from, until, toldAt: told.get(nameOf(line)), how: stop?.how }]
  })
}

const byTask = (runs: readonly Run[]): ReadonlyMap<string, readonly Run[]> => Map.groupBy(runs, ({ taskId }) => taskId)

/** Runs of one task that went on at the same time: those of a process that stood still apart, which cannot be stopped, only told. */
const overlaps = (evidence: Evidence): { readonly overlapping: readonly string[]; readonly toldAfterFreezeMs: readonly number[] } => {
  const frozen = Map.groupBy(
    evidence.faults.filter((line): line is Frozen => line.type === 'frozen'),
    ({ process }) => process,
  )
  const overlapping: string[] = []
  const toldAfterFreezeMs: number[] = []
  for (const runs of byTask(runsOf(evidence)).values()) {
    const inOrder = [...runs].sort((a, b) => a.attempt - b.attempt)
    for (const [index, older] of inOrder.entries()) {
      for (const newer of inOrder.slice(index + 1)) {
        const [from, until] = [Math.max(older.from, newer.from), Math.min(older.until, newer.until)]
        if (older.attempt === newer.attempt)
          overlapping.push(`attempt ${older.attempt} of task ${older.taskId} ran on ${older.process} and on ${newer.process}`)
        else if (from < until) {
          const freeze = (frozen.get(older.process) ?? []).find((each) => each.at <= from && until <= each.until + wakingMs)
          if (freeze === undefined) overlapping.push(inFull(older, newer))
          // Where the newer run ended before the older one woke, that one was told all the same.
          else toldAfterFreezeMs.push(Math.max(0, (older.toldAt ?? older.until) - freeze.until))
        }
      }
    }
  }
  return { overlapping, toldAfterFreezeMs }
}

const inFull = (older: Run, newer: Run): string =>
  `task ${older.taskId}: attempt ${older.attempt} ran on ${older.process} from ${older.from} to ${older.until}, attempt ${newer.attempt} on ${newer.process} from ${newer.from} to ${newer.until}`

/** Whoever was killed waits no more. */
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

/** What somebody was told that is not so, and what the system says of itself that is not so. */
function* lies(evidence: Evidence): Iterable<string> {
  const { histories, listing, submits, clients } = evidence
  for (const line of submits) if (line.type === 'refused') yield `a submit was refused: ${line.why}`
  for (const line of clients) {
    const history = histories.get(line.taskId) ?? []
    const end = endOf(history)
    if (line.type === 'askedInVain') yield `the ${line.what} of task ${line.taskId} was refused: ${line.why}`
    if (line.type === 'awaited') {
      if (line.status !== end?.status || !isSame(line.result, resultOf(end)))
        yield `an await of task ${line.taskId} was told ${line.status} ${JSON.stringify(line.result)}: ${told(history)}`
    }
    if (line.type === 'cancelAnswered') {
      const isWished = history.some(({ type }) => type === 'TaskCancelRequested')
      const isKept =
        line.outcome === 'finished'
          ? line.status === end?.status
          : isWished && (line.outcome === 'requested' || end?.status === 'cancelled')
      if (!isKept) yield `a cancel of task ${line.taskId} was told ${line.outcome} (${line.status}): ${told(history)}`
    }
  }
  for (const [taskId, history] of histories) {
    for (const violation of checkHistory(history)) yield `task ${taskId}: ${violation}: ${told(history)}`
    const row = listing.get(taskId)
    const end = endOf(history)
    // A submit that was never acknowledged may have left a history that nobody was told of.
    if (
      history.length === 0 ||
      (row === undefined && history.length === 1 && !submits.some((line) => line.type === 'acknowledged' && line.taskId === taskId))
    )
      continue
    if (row?.version !== history.length || (end !== undefined && (row.status !== end.status || !isSame(row.result, resultOf(end)))))
      yield `task ${taskId} is listed as ${row?.status} at version ${row?.version}: ${told(history)}`
  }
  yield* liesAboutRuns(evidence)
}

/** Every run is one that the history knows, and ended as it says. */
function* liesAboutRuns(evidence: Evidence): Iterable<string> {
  const runs = runsOf(evidence)
  for (const run of runs) {
    const history = evidence.histories.get(run.taskId) ?? []
    const isBy = (event: TaskEvent): boolean => event.node.startsWith(`${run.process}-`)
    if (!history.some((event) => event.type === 'TaskStarted' && event.attempt === run.attempt && isBy(event)))
      yield `${run.process} ran attempt ${run.attempt} of task ${run.taskId}: ${told(history)}`
  }
  const returned = new Set(runs.filter(({ how }) => how === 'returned').map(({ taskId, attempt }) => `${taskId} ${attempt}`))
  for (const [taskId, history] of evidence.histories)
    for (const event of history)
      if (event.type === 'TaskCompleted' && !returned.has(`${taskId} ${event.attempt}`))
        yield `task ${taskId} is completed by attempt ${event.attempt}, which did not return`
}

function* leftOver({ left, listing }: Evidence): Iterable<string> {
  if (left === undefined) return yield 'the run did not come to its end: nothing but overlaps can be judged'
  if (!left.isSettled) yield `after ${left.settledAfterMs} ms all was still not at rest`
  for (const [queue, count] of Object.entries(left.messages)) yield `${count} messages are left in ${queue}`
  for (const { taskId, status } of listing.values())
    if (['waiting', 'inProgress', 'cancelRequested'].includes(status)) yield `task ${taskId} is still listed as ${status}`
}

const againAfterKill = (evidence: Evidence): readonly number[] => {
  const killedAt = new Map(
    evidence.faults.flatMap((line) => (line.type === 'ended' && line.why === 'killed' ? [[line.process, line.at]] : [])),
  )
  return [...byTask(runsOf(evidence)).values()].flatMap((runs) =>
    runs.flatMap((run) => {
      const at = run.how === undefined ? killedAt.get(run.process) : undefined
      if (at === undefined) return []
      const next = runs.filter(({ attempt }) => attempt > run.attempt).map(({ from }) => from)
      return next.length === 0 ? [] : [Math.min(...next) - at]
    }),
  )
}
