import type { BrokenKind, Verdict } from './verdict.ts'
import { brokenKinds } from './verdict.ts'

const words: Readonly<Record<BrokenKind, string>> = {
  lost: 'lost',
  settledTwice: 'settled twice',
  overlapping: 'overlapping',
  awaitsUnanswered: 'awaits or cancels unanswered',
  contradictions: 'contradictions',
  crashed: 'crashed',
  leftOver: 'left over',
}

/** How many sentences of each kind are shown. */
const maxShown = 20

/** The counts of a run, a line each, and the sentences behind the counts that should be 0. */
export const reportOf = (verdict: Verdict): readonly string[] => {
  const { submitted, settled, byStatus, unknown, awaits, cancels, runs, faults, broken, abortedAfterFreezeMs, againAfterKillMs } = verdict
  return [
    row('submitted', submitted, `${unknown} times with an unknown outcome`),
    row('settled', settled, listed(byStatus)),
    ...brokenKinds.map((kind) => row(words[kind], broken[kind].length)),
    row('overlapping after a freeze', abortedAfterFreezeMs.length, `from the thaw to the aborted signal: ${spread(abortedAfterFreezeMs)}`),
    row('awaits answered', awaits),
    row('cancels answered', cancels),
    row('runs', runs),
    row(
      'faults',
      Object.values(faults).reduce((sum, count) => sum + count, 0),
      listed(faults),
    ),
    row('ended by SIGKILL', againAfterKillMs.length, `until their tasks ran again: ${spread(againAfterKillMs)}`),
    ...brokenKinds.flatMap((kind) => broken[kind].slice(0, maxShown).map((sentence) => `${words[kind]}: ${sentence}`)),
  ]
}

const row = (what: string, count: number, note = ''): string => `${String(count).padStart(8)}  ${what}${note === '' ? '' : ` (${note})`}`

const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([what, count]) => `${count} ${what}`)
    .join(', ')

const spread = (times: readonly number[]): string => {
  if (times.length === 0) return 'none'
  const sorted = [...times].sort((a, b) => a - b)
  return `median ${sorted[Math.floor(sorted.length / 2)]} ms, at most ${sorted.at(-1)} ms`
}
