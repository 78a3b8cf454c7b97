import { styleText } from 'node:util'
import { counted, fitted, number, printable, shortened, widthOf } from '@taskledger/example-reindex/terminal'
import type { Row } from '@taskledger/example-reindex/terminal'
import { isFinalStatus } from '@taskledger/core'
import { isHere, nodeLines } from './nodes-table.ts'
import { taskLines } from './tasks-table.ts'
import { durationOf, timeOf } from './times.ts'
import type { ClusterView } from './view.ts'

const minNews = 2

/** The lines of the screen: never more, and never longer, than the terminal has room for. */
export const renderCluster = (view: ClusterView): readonly string[] => {
  const { columns, lines, nodes, tasks } = view
  const width = Math.max(3, columns - 1)
  const gap = lines >= 20 ? [''] : []
  const head = [headLine(view, width), ...(lines < 16 ? [] : serverLines(view, width)), ...gap]
  const nodeRows = lines < 12 ? [] : [...nodeLines(view, width, Math.min(nodes.length, Math.max(2, Math.floor(lines / 5)))), ...gap]
  const foot = lines < 6 ? [] : [dim(shortened(messageLine(view), width, 'end')), dim(shortened(keysLine(view, width), width, 'end'))]
  const rest = lines - head.length - nodeRows.length - foot.length - gap.length
  // A line of titles comes with the tasks.
  const newsRoom = lines < 16 ? 0 : Math.max(minNews, rest - 1 - tasks.length)
  const body = taskLines(view, width, Math.max(1, rest - 1 - newsRoom))
  const news = newsLines(view, width, newsRoom)
  const filling = Array.from({ length: Math.max(0, rest - body.length - news.length) }, () => '')
  return [...head, ...nodeRows, ...body, ...gap, ...news, ...filling, ...foot].slice(0, Math.max(1, lines)).map((line) => line.trimEnd())
}

const dim = (text: string): string => styleText('dim', text)

const headLine = ({ tasks, now, startedAt }: ClusterView, width: number): string => {
  const over = tasks.filter(isOver).length
  const right = `${number(over)} of ${counted(tasks.length, 'task')} ended · ${durationOf(now - startedAt)}`
  const room = width - widthOf(right) - 2
  if (room < 20) return styleText('bold', shortened(right, width, 'end'))
  return `${styleText('bold', fitted(room < 40 ? 'Taskledger cluster' : 'Taskledger · a cluster of processes', room))}  ${right}`
}

const isOver = ({ details }: Row): boolean => details !== undefined && isFinalStatus(details.status)

const serverLines = ({ servers }: ClusterView, width: number): readonly string[] => {
  const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(widthOf))
  const what = widest(servers.map((server) => server.what))
  const origin = widest(servers.map((server) => server.origin))
  return servers.map((server) =>
    dim(shortened(`${fitted(server.what, what)}  ${fitted(server.origin, origin)}  ${printable(server.where)}`, width, 'end')),
  )
}

const newsLines = ({ news }: ClusterView, width: number, room: number): readonly string[] =>
  room === 0 ? [] : news.slice(-room).map(({ at, text }) => shortened(`${dim(timeOf(at))}  ${printable(text)}`, width, 'end'))

/** The result of the latest key, or that no worker is left, or the details of the selected task. */
const messageLine = ({ message, nodes, tasks, selectedTask }: ClusterView): string => {
  if (message !== undefined) return printable(message)
  const hasWorker = nodes.some((node) => node.key !== undefined && isHere(node))
  if (!hasWorker && !tasks.every(isOver)) return 'no worker is left: unfinished tasks wait for one · a adds one'
  const row = tasks[selectedTask]
  if (row === undefined) return ''
  const why = row.details?.error?.message ?? row.details?.cancelReason
  return printable(why === undefined ? row.mailbox.path : `${row.mailbox.path}: ${why}`)
}

const keysLine = ({ isStopping, selectedNode }: ClusterView, width: number): string => {
  if (isStopping) return 'Shutting down in order · Ctrl-C again ends at once'
  const worker = selectedNode ?? 'worker'
  const long = `↑ ↓ task: s submit again, c cancel · 1–9 worker: x stop ${worker} in order · a add a worker · q quit`
  return widthOf(long) <= width ? long : `↑↓ task: s submit, c cancel · 1–9 worker: x stop ${worker} · a add · q quit`
}
