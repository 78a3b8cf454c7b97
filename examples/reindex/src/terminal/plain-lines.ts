import type { ReindexRun, Row } from '../reindex-run.ts'
import { countsOf } from '../reindex-run.ts'
import { counted, number, printable } from './printable.ts'
import { fractionOf } from './table.ts'

/** How often the progress of a long mailbox is printed, in milliseconds. */
const everyMs = 5_000

/** Prints the progress of a run in plain lines, for logs and pipes. */
export const plainLines = (run: ReindexRun, say: (line: string) => void): ((row: Row, before: Row) => void) => {
  const toldAt = new Map<string, number>()
  return (row, before) => {
    const line = lineOf(run, row, before)
    const now = performance.now()
    const lastAt = toldAt.get(row.mailbox.path) ?? now
    if (line === undefined && (row.details?.status !== 'inProgress' || now - lastAt < everyMs)) {
      toldAt.set(row.mailbox.path, lastAt)
      return
    }
    toldAt.set(row.mailbox.path, now)
    say(
      `${printable(row.mailbox.name)}: ${line ?? `${Math.floor(fractionOf(row) * 100)}%, ${counted(countsOf(row.details)?.done ?? 0, 'message')}`}`,
    )
  }
}

const lineOf = (run: ReindexRun, row: Row, before: Row): string | undefined => {
  const { details } = row
  const isNews = details?.status !== before.details?.status || details?.attempt !== before.details?.attempt
  if (details === undefined || !isNews) return undefined
  const { done = 0 } = countsOf(details) ?? {}
  switch (details.status) {
    case 'waiting':
      if (details.attempt === 0) return undefined
      return details.error === undefined
        ? `released by ${run.nodeOf(row)} after ${counted(done, 'message')}`
        : `attempt ${details.attempt} failed after ${counted(done, 'message')}: ${printable(details.error.message)}; it runs again`
    case 'inProgress':
      return `started on ${run.nodeOf(row)}${details.attempt > 1 ? `, attempt ${details.attempt}, after ${counted(done, 'message')}` : ''}`
    case 'cancelRequested':
      return 'cancelling'
    case 'completed':
      return `done: ${tallyOf(row)}`
    case 'cancelled':
      return `cancelled: ${tallyOf(row)}`
    case 'failed':
    case 'died':
      return `${details.status}: ${printable(details.error?.message ?? 'for an unknown reason')}`
  }
}

/** The counts of messages, in words. */
export const tallyOf = ({ details }: Row): string => {
  const { done = 0, indexed = 0, known = 0, broken = 0 } = countsOf(details) ?? {}
  return `${counted(done, 'message')}, ${number(indexed)} new, ${number(known)} known, ${number(broken)} broken`
}
