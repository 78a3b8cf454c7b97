import { styleText } from 'node:util'
import { barOf, fitted, messagesOf, printable, statusOf, widthOf } from '@taskledger/example-reindex/terminal'
import type { Row } from '@taskledger/example-reindex/terminal'
import type { Column } from './columns.ts'
import { drawn, placed } from './columns.ts'
import { durationOf, exactDurationOf } from './times.ts'
import type { ClusterView } from './view.ts'

/** How much room the number behind a bar takes. */
const percent = 5

/** The tasks, a line each below a line of titles; as many as there is room for, the selected one among them. */
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

/** How many tasks there is no room for, above and below. */
const hiddenOf = (above: number, below: number): string => {
  const marks = [...(above > 0 ? [`↑${above}`] : []), ...(below > 0 ? [`↓${below}`] : [])]
  return marks.length === 0 ? '' : ` · ${marks.join(' ')} more`
}

/** How wide the title of the mailboxes may get, with what is hidden. */
const titleWidth = 22

/** The widths hang on nothing that changes from one moment to the next, or the table would twitch. */
const columnsOf = ({ tasks, nodeOf, now }: ClusterView, hidden: string): readonly Column<Row>[] => {
  const widest = (texts: readonly string[], least: number): number => texts.reduce((most, text) => Math.max(most, widthOf(text)), least)
  const longest = widest(tasks.map(nameOf), hidden === '' ? 12 : titleWidth)
  const nodes = widest(tasks.map(nodeOf), 9)
  return [
    {
      title: `MAILBOX${hidden}`,
      keep: 9,
      least: Math.min(longest, titleWidth),
      most: longest,
      draw: (row, width) => fitted(nameOf(row), width),
    },
    {
      title: 'STATUS',
      keep: 8,
      least: 11,
      most: 11,
      draw: (row, width) => {
        const [word, style] = statusOf(row)
        return styleText(style, fitted(word, width))
      },
    },
    { title: 'NODE', keep: 6, least: nodes, most: nodes, draw: (row, width) => fitted(printable(nodeOf(row)), width) },
    { title: 'PROGRESS', keep: 5, least: 6 + percent, most: 32 + percent, draw: (row, width) => barOf(row, width - percent) },
    { title: 'MESSAGES', keep: 2, least: 9, most: 9, draw: (row, width) => fitted(messagesOf(row), width) },
    {
      title: 'TRY',
      keep: 3,
      least: 3,
      most: 3,
      draw: ({ details }, width) => fitted(details?.attempt ? String(details.attempt) : '', width),
    },
    { title: 'TIME', keep: 4, least: 7, most: 7, draw: (row, width) => fitted(timeOf(row, now), width) },
    { title: 'TASK', keep: 1, least: 36, most: 36, draw: ({ details }, width) => styleText('dim', fitted(details?.taskId ?? '', width)) },
  ]
}

const nameOf = ({ mailbox }: Row): string => printable(mailbox.name)

/** How long ago it was submitted; of a task that has ended, how long it took from there. */
const timeOf = ({ details }: Row, now: number): string => {
  if (details === undefined) return ''
  const { createdAt, finishedAt } = details
  return finishedAt === undefined ? durationOf(now - createdAt) : exactDurationOf(finishedAt - createdAt)
}
