import { styleText } from 'node:util'
import type { Hit } from '../index/mail-index.ts'
import { hitBegin, hitEnd } from '../index/mail-index.ts'
import { printable } from './printable.ts'

const found = new RegExp(`${hitBegin}([^${hitBegin}${hitEnd}]*)${hitEnd}`, 'g')

/** A found message, in a few lines. */
export const hitLines = ({ mailbox, place, flags, date, subject, sender, attachments, snippet }: Hit): readonly string[] => {
  const marks = [
    ...(flags.includes('F') ? ['flagged'] : []),
    ...(flags.includes('D') ? ['draft'] : []),
    ...(flags.includes('T') ? ['deleted'] : []),
  ]
  const when = date === undefined ? 'no date' : dateOf(date)
  return [
    styleText('bold', printable(subject) || '(no subject)'),
    [when, printable(sender) || 'no sender', ...marks].join(' · '),
    styleText('dim', `${printable(mailbox)}, ${printable(place)}`),
    ...(attachments.length === 0 ? [] : [`attached: ${attachments.map(printable).join(', ')}`]),
    marked(snippet),
  ]
}

/** Mail may have dates that no calendar has. */
const dateOf = (date: number): string =>
  Math.abs(date) <= 8.64e15 ? new Date(date).toISOString().slice(0, 16).replace('T', ' ') : 'no date'

const marked = (snippet: string): string => {
  let text = ''
  let from = 0
  for (const match of snippet.matchAll(found)) {
    text += printable(snippet.slice(from, match.index)) + styleText(['bold', 'underline'], printable(match[1] ?? ''))
    from = match.index + match[0].length
  }
  return text + printable(snippet.slice(from))
}
