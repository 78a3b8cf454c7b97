import type { Evidence } from '../evidence/files.ts'
import type { Ended, Frozen, RunLine } from '../evidence/lines.ts'

/** One run of a body. */
export interface Run {
  readonly taskId: string
  readonly attempt: number
  readonly process: string
  readonly from: number
  /** When the body stopped, or its process was gone. */
  readonly until: number
  readonly abortedAt: number | undefined
  /** Undefined where the process ended first. */
  readonly how: 'returned' | 'threw' | 'aborted' | undefined
}

export const runsOf = ({ runs, faults }: Evidence): readonly Run[] => {
  const goneAt = new Map(faults.filter((line): line is Ended => line.type === 'ended').map(({ process, at }) => [process, at]))
  const nameOf = ({ taskId, attempt, process }: RunLine): string => `${taskId} ${attempt} ${process}`
  const aborted = new Map(runs.flatMap((line) => (line.type === 'aborted' ? [[nameOf(line), line.at]] : [])))
  const stopped = new Map(runs.flatMap((line) => (line.type === 'stopped' ? [[nameOf(line), line]] : [])))
  return runs.flatMap((line): readonly Run[] => {
    if (line.type !== 'started') return []
    const { taskId, attempt, process, at: from } = line
    const stop = stopped.get(nameOf(line))
    const until = stop?.at ?? goneAt.get(process) ?? Infinity
    return [{ taskId, attempt, process, from, until, abortedAt: aborted.get(nameOf(line)), how: stop?.how }]
  })
}

const byTask = (runs: readonly Run[]): ReadonlyMap<string, readonly Run[]> => Map.groupBy(runs, ({ taskId }) => taskId)

/** How long the bodies of a process may go on after its thaw before their signals are aborted, in milliseconds. */
const thawMs = 2_000

interface Overlaps {
  readonly overlapping: readonly string[]
  readonly abortedAfterFreezeMs: readonly number[]
}

/**
 * Finds runs of one task at the same time. A frozen process cannot stop its runs: it only hears after its thaw that it has lost them. Its
 * overlaps are counted apart, unless they last too long after the thaw.
 */
export const overlaps = (evidence: Evidence): Overlaps => {
  const frozen = Map.groupBy(
    evidence.faults.filter((line): line is Frozen => line.type === 'frozen'),
    ({ process }) => process,
  )
  const overlapping: string[] = []
  const abortedAfterFreezeMs: number[] = []
  for (const runs of byTask(runsOf(evidence)).values()) {
    const inOrder = [...runs].sort((a, b) => a.attempt - b.attempt)
    for (const [index, older] of inOrder.entries()) {
      for (const newer of inOrder.slice(index + 1)) {
        const [from, until] = [Math.max(older.from, newer.from), Math.min(older.until, newer.until)]
        if (older.attempt === newer.attempt)
          overlapping.push(`attempt ${older.attempt} of task ${older.taskId} ran on ${older.process} and on ${newer.process}`)
        else if (from < until) {
          const freeze = (frozen.get(older.process) ?? []).find((each) => each.at <= from && until <= each.until + thawMs)
          if (freeze === undefined) overlapping.push(describeOverlap(older, newer))
          // The newer run may have ended before the thaw: the older one was aborted all the same.
          else abortedAfterFreezeMs.push(Math.max(0, (older.abortedAt ?? older.until) - freeze.until))
        }
      }
    }
  }
  return { overlapping, abortedAfterFreezeMs }
}

const describeOverlap = (older: Run, newer: Run): string =>
  `task ${older.taskId}: attempt ${older.attempt} ran on ${older.process} from ${older.from} to ${older.until}, attempt ${newer.attempt} on ${newer.process} from ${newer.from} to ${newer.until}`

/** For each run that ended by SIGKILL: how long until a later attempt started, in milliseconds. */
export const againAfterKill = (evidence: Evidence): readonly number[] => {
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
