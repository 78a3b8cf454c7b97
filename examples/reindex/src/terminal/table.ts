import { styleText } from 'node:util'
import type { Row } from '../reindex-run.ts'
import { countsOf, isOver, placeOf } from '../reindex-run.ts'
import { counted, fitted, number, printable, shortened, widthOf } from './printable.ts'

/** Everything that the table shows. */
export interface TableView {
  readonly rows: readonly Row[]
  readonly nodeOf: (row: Row) => string
  readonly selected: number
  readonly elapsedMs: number
  /** The folder of the index. */
  readonly index: string
  /** A line about this run for the user. */
  readonly note?: string
  readonly isStopping: boolean
  /** The size of the terminal. */
  readonly columns: number
  readonly lines: number
}

type Style = Parameters<typeof styleText>[0]

/** The lines of the screen: never more, and never longer, than the terminal has room for. */
export const renderTable = (view: TableView): readonly string[] => {
  const { rows, columns, lines } = view
  const width = Math.max(1, columns - 1)
  const head = [headLine(view, width), ...(view.note === undefined || lines < 12 ? [] : [dim(shortened(view.note, width, 'end'))])]
  const foot = lines < 6 ? [] : [dim(shortened(selectedLine(view), width, 'end')), dim(shortened(keysLine(view), width, 'end'))]
  const gaps = lines - head.length - foot.length >= 8 ? [''] : []
  const room = Math.max(1, lines - head.length - foot.length - 2 * gaps.length)
  const first = firstShown(view.selected, rows.length, room)
  const layout = layoutOf(view, width)
  const body = rows.slice(first, first + room).map((row, at) => rowLine(row, first + at === view.selected, layout, view.nodeOf))
  return [...head, ...gaps, ...body, ...gaps, ...foot].slice(0, Math.max(1, lines))
}

const dim = (text: string): string => styleText('dim', text)

const headLine = ({ rows, elapsedMs, index }: TableView, width: number): string => {
  const over = rows.filter(isOver).length
  const right = `${number(over)} of ${counted(rows.length, 'mailbox', 'mailboxes')} · ${number(elapsedMs / 1000)} s`
  const left = `Reindexing into ${printable(index)}`
  const room = width - widthOf(right) - 2
  if (room < 20) return styleText('bold', shortened(right, width, 'end'))
  return `${styleText('bold', fitted(left, room))}  ${right}`
}

/** The details of the selected mailbox that have no column. */
const selectedLine = ({ rows, selected }: TableView): string => {
  const row = rows[selected]
  if (row === undefined) return ''
  const { details, mailbox } = row
  const { indexed = 0, known = 0, broken = 0 } = countsOf(details) ?? {}
  const tally = `${number(indexed)} new, ${number(known)} known, ${number(broken)} broken`
  const attempt = details !== undefined && details.attempt > 1 ? `attempt ${details.attempt} · ` : ''
  const why = details?.error ?? (details?.cancelReason === undefined ? undefined : { message: details.cancelReason })
  return printable(`${attempt}${tally} · ${why === undefined ? mailbox.path : why.message}`)
}

const keysLine = ({ isStopping }: TableView): string =>
  isStopping ? 'Shutting down: running mailboxes have 2 s · Ctrl-C again ends at once' : '↑ ↓ select · c cancel this mailbox · q shut down'

/** The first shown row: with too many rows, the selected one is in the middle. */
const firstShown = (selected: number, rows: number, room: number): number =>
  Math.max(0, Math.min(selected - Math.floor(room / 2), rows - room))

type ColumnName = 'status' | 'node' | 'bar' | 'messages' | 'rate'

interface Layout {
  readonly name: number
  /** The shown columns, and their widths. */
  readonly columns: ReadonlyMap<ColumnName, number>
}

const gap = 2
const minName = 12
const percent = 5
const minBar = 6 + percent
const maxBar = 32 + percent

/** The order in which columns are dropped, each unless the names have this width. */
const dispensable: readonly (readonly [ColumnName, forName: number])[] = [
  ['rate', 32],
  ['node', 28],
  ['messages', 20],
  ['bar', 16],
  ['status', minName],
]

/** Divides the width. It depends on nothing that changes from one moment to the next: otherwise the columns would jump. */
const layoutOf = ({ rows, nodeOf }: TableView, width: number): Layout => {
  const widest = (texts: readonly string[], min: number): number => texts.reduce((max, text) => Math.max(max, widthOf(text)), min)
  const columns = new Map<ColumnName, number>([
    ['status', 11],
    ['node', widest(rows.map(nodeOf), 8)],
    ['bar', minBar],
    ['messages', widest(rows.map(messagesOf), 13)],
    ['rate', 8],
  ])
  const roomForName = (): number => [...columns.values()].reduce((room, each) => room - each - gap, width - marker.length)
  const longest = widest(rows.map(nameOf), minName)
  for (const [column, forName] of dispensable) if (roomForName() < Math.min(longest, forName)) columns.delete(column)
  const name = Math.max(1, Math.min(longest, roomForName()))
  const bar = columns.get('bar')
  if (bar !== undefined) columns.set('bar', Math.min(maxBar, bar + roomForName() - name))
  return { name, columns }
}

const marker = '❯ '

const nameOf = ({ mailbox }: Row): string => printable(mailbox.name)

const rowLine = (row: Row, isSelected: boolean, { name, columns }: Layout, nodeOf: TableView['nodeOf']): string => {
  const title = fitted(nameOf(row), name)
  const cells = [...columns].map(([column, width]) => cellOf(row, column, width, nodeOf))
  return [isSelected ? marker + styleText('bold', title) : ' '.repeat(marker.length) + title, ...cells].join(' '.repeat(gap)).trimEnd()
}

const cellOf = (row: Row, column: ColumnName, width: number, nodeOf: TableView['nodeOf']): string => {
  switch (column) {
    case 'status': {
      const [word, style] = statusOf(row)
      return styleText(style, fitted(word, width))
    }
    case 'node':
      return fitted(nodeOf(row), width)
    case 'bar':
      return barOf(row, width - percent)
    case 'messages':
      return fitted(messagesOf(row), width, 'right')
    case 'rate':
      return fitted(row.rate === 0 ? '' : `${number(row.rate)}/s`, width, 'right')
  }
}

/** The word and the style of a status. */
export const statusOf = ({ details }: Row): readonly [word: string, style: Style] => {
  switch (details?.status) {
    case undefined:
      return ['submitting', 'dim']
    case 'waiting':
      return details.attempt === 0 ? ['waiting', 'dim'] : details.error === undefined ? ['released', 'yellow'] : ['retrying', 'magenta']
    case 'inProgress':
      return ['running', 'cyan']
    case 'cancelRequested':
      return ['cancelling', 'yellow']
    case 'completed':
      return ['done', 'green']
    case 'failed':
      return ['failed', 'red']
    case 'cancelled':
      return ['cancelled', 'yellow']
    case 'died':
      return ['died', 'red']
  }
}

/** How much of a mailbox was read, 0 to 1. */
export const fractionOf = ({ details }: Row): number => {
  if (details?.status === 'completed') return 1
  const place = placeOf(details)
  return place === undefined || place.size === 0 ? 0 : Math.min(1, place.position / place.size)
}

/** How much of a mailbox was read: a bar of this width, and five more columns for the number. */
export const barOf = (row: Row, width: number): string => {
  const fraction = fractionOf(row)
  const full = Math.floor(fraction * width)
  const [, style] = statusOf(row)
  return `${styleText(style, '█'.repeat(full))}${dim('░'.repeat(width - full))} ${fitted(`${Math.floor(fraction * 100)}%`, 4, 'right')}`
}

/** How many messages were read, of how many. An mbox only gives the number of bytes, so its number of messages is estimated. */
export const messagesOf = (row: Row): string => {
  const { details, mailbox } = row
  const done = countsOf(details)?.done
  const place = placeOf(details)
  if (done === undefined) return ''
  if (place === undefined || details?.status === 'completed') return number(done)
  if (mailbox.kind !== 'mbox') return `${number(done)}/${number(place.size)}`
  return place.position === 0 ? number(done) : `${number(done)}/~${number((done * place.size) / place.position)}`
}
