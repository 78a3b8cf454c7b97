import { styleText } from 'node:util'
import { barOf, fitted, messagesOf, printable, statusOf, widthOf } from '@taskledger/example-reindex/terminal'
import type { Row } from '@taskledger/example-reindex/terminal'
import type { Column } from './columns.ts'
import { drawn, placed } from './columns.ts'
import { durationOf, exactDurationOf } from './times.ts'
import type { ClusterView } from './view.ts'

/** The width of the number after a bar. */
const percent = 5

/** A line of titles, and a line for each task that there is room for, the selected one among them. */
export const taskLines = (view: ClusterView, width: number, room: number): readonly string[] => {
  const { tasks, selectedTask } = view
  const first = Math.max(0, Math.min(selectedTask - Math.floor(room / 2), tasks.length - room))
  const columns = placed(columnsOf(view, hiddenOf(first, tasks.length - first - room)), width - 2)
  return [
    styleText('dim', `  ${drawn(columns, ({ column, width }) => fitted(column.title, width))}`),
    ...tasks
      .slice(first, first + room)
      .map((row, at) => (first + at === selectedTask ? '❯ ' : '  ') + drawn(columns, ({ column, width }) => column.draw(row, width))),
  ]
}

/** The number of hidden tasks, above and below. */
const hiddenOf = (above: number, below: number): string => {
  const marks = [...(above > 0 ? [`↑${above}`] : []), ...(below > 0 ? [`↓${below}`] : [])]
  return marks.length === 0 ? '' : ` · ${marks.join(' ')} more`
}

/** The maximum width of the title of mailboxes, with the number of hidden tasks. */
const titleWidth = 22

/** The widths depend on nothing that changes from one moment to the next: otherwise the columns would jump. */
const columnsOf = ({ tasks, nodeOf, now }: ClusterView, hidden: string): readonly Column<Row>[] => {
  const widest = (texts: readonly string[], min: number): number => texts.reduce((max, text) => Math.max(max, widthOf(text)), min)
  const longest = widest(tasks.map(nameOf), hidden === '' ? 12 : titleWidth)
  const nodes = widest(tasks.map(nodeOf), 9)
  return [
    {
      title: `MAILBOX${hidden}`,
      rank: 9,
      minWidth: Math.min(longest, titleWidth),
      maxWidth: longest,
      draw: (row, width) => fitted(nameOf(row), width),
    },
    {
      title: 'STATUS',
      rank: 8,
      minWidth: 11,
      maxWidth: 11,
      draw: (row, width) => {
        const [word, style] = statusOf(row)
        return styleText(style, fitted(word, width))
      },
    },
    { title: 'NODE', rank: 6, minWidth: nodes, maxWidth: nodes, draw: (row, width) => fitted(printable(nodeOf(row)), width) },
    { title: 'PROGRESS', rank: 5, minWidth: 6 + percent, maxWidth: 32 + percent, draw: (row, width) => barOf(row, width - percent) },
    { title: 'MESSAGES', rank: 2, minWidth: 9, maxWidth: 9, draw: (row, width) => fitted(messagesOf(row), width) },
    {
      title: 'TRY',
      rank: 3,
      minWidth: 3,
      maxWidth: 3,
      draw: ({ details }, width) => fitted(details?.attempt ? String(details.attempt) : '', width),
    },
    { title: 'TIME', rank: 4, minWidth: 7, maxWidth: 7, draw: (row, width) => fitted(timeOf(row, now), width) },
    {
      title: 'TASK',
      rank: 1,
      minWidth: 36,
      maxWidth: 36,
      draw: ({ details }, width) => styleText('dim', fitted(details?.taskId ?? '', width)),
    },
  ]
}

const nameOf = ({ mailbox }: Row): string => printable(mailbox.name)

/** The time since the submit, or from the submit to the end. */
const timeOf = ({ details }: Row, now: number): string => {
  if (details === undefined) return ''
  const { createdAt, finishedAt } = details
  return finishedAt === undefined ? durationOf(now - createdAt) : exactDurationOf(finishedAt - createdAt)
}
