import { styleText } from 'node:util'
import type { ReindexRun, Row } from '../reindex-run.ts'
import { countsOf } from '../reindex-run.ts'
import type { Reindexed } from '../reindex-task.ts'
import { tallyOf } from './plain-lines.ts'
import { counted, number, printable } from './printable.ts'
import { statusOf } from './table.ts'

/** The report at the end of a run: the problems and their reasons, then the sums. */
export const reportOf = (run: ReindexRun): readonly string[] => [...run.rows.flatMap(problemsOf), ...sums(run)]

const problemsOf = (row: Row): readonly string[] => {
  const { details, mailbox } = row
  const { broken = 0, problems = [] } = countsOf(details) ?? {}
  const lines = problems.map(({ where, why }) => `  ${printable(where)}: ${printable(why)}`)
  if (broken > problems.length) lines.push(`  and ${number(broken - problems.length)} more`)
  const name = printable(mailbox.name)
  if (details?.status !== 'completed') return [`${styleText(statusOf(row)[1], name)}: ${outcomeOf(row)}`, ...lines]
  return broken === 0 ? [] : [`${name}: ${counted(broken, 'broken message')}, indexed as far as possible`, ...lines]
}

const outcomeOf = (row: Row): string => {
  const { details } = row
  switch (details?.status) {
    case 'failed':
    case 'died':
      return `${details.status} after ${counted(details.attempt, 'attempt')}: ${printable(details.error?.message ?? 'for an unknown reason')}`
    case 'cancelled':
      return `cancelled after ${tallyOf(row)}`
    default:
      return `not finished: ${tallyOf(row)}; run again to continue`
  }
}

const sums = (run: ReindexRun): readonly string[] => {
  const { rows } = run
  const byStatus = new Map<string, number>()
  for (const { details } of rows) {
    const word = details?.status === 'completed' ? 'done' : isEnded(details?.status) ? details.status : 'not finished'
    byStatus.set(word, (byStatus.get(word) ?? 0) + 1)
  }
  const total = (what: 'done' | 'indexed' | 'known' | 'broken' | 'removed'): number =>
    rows.reduce((sum, { details }) => sum + ((countsOf(details) as Partial<Reindexed> | undefined)?.[what] ?? 0), 0)
  const statuses = ['done', 'failed', 'died', 'cancelled', 'not finished'].flatMap((word) => {
    const count = byStatus.get(word) ?? 0
    return count === 0 ? [] : [`${number(count)} ${word}`]
  })
  const removed = total('removed') === 0 ? '' : `, ${number(total('removed'))} removed`
  return [
    `${counted(rows.length, 'mailbox', 'mailboxes')}: ${statuses.join(', ')}`,
    `${counted(total('done'), 'message')}: ${number(total('indexed'))} new, ${number(total('known'))} known, ${number(total('broken'))} broken${removed}`,
    ...[...run.shares].map(
      ([name, { mailboxes, messages }]) => `${name}: ${counted(mailboxes, 'mailbox', 'mailboxes')}, ${counted(messages, 'message')}`,
    ),
    `${(run.elapsedMs / 1000).toFixed(1)} s`,
  ]
}

const isEnded = (status: string | undefined): status is 'failed' | 'died' | 'cancelled' =>
  ['failed', 'died', 'cancelled'].includes(status ?? '')
