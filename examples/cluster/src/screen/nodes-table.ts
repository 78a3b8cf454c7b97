import { styleText } from 'node:util'
import { fitted, printable, shortened, widthOf } from '@taskledger/example-reindex/terminal'
import type { Column } from './columns.ts'
import { drawn, placed } from './columns.ts'
import { durationOf } from './times.ts'
import type { ClusterView, NodeState, NodeView } from './view.ts'

const styles: Readonly<Record<NodeState, Parameters<typeof styleText>[0]>> = {
  starting: 'dim',
  alive: 'green',
  draining: 'yellow',
  gone: 'dim',
  lost: 'red',
}

/** A line of titles, and a line for each node. If there are too many nodes, those that are gone are dropped first. */
export const nodeLines = (view: ClusterView, width: number, room: number): readonly string[] => {
  const columns = placed(columnsOf(view), width - 2)
  const marked = (node: NodeView): string => (node.name === view.selectedNode ? '› ' : '  ')
  return [
    styleText('dim', `  ${drawn(columns, ({ column, width }) => fitted(column.title, width))}`),
    ...shownOf(view.nodes, room).map((node) => marked(node) + drawn(columns, ({ column, width }) => column.draw(node, width))),
  ]
}

/** Whether the process still exists. */
export const isHere = ({ state }: NodeView): boolean => state !== 'gone' && state !== 'lost'

const shownOf = (nodes: readonly NodeView[], room: number): readonly NodeView[] => {
  let surplus = nodes.length - room
  const kept = nodes.filter((node) => isHere(node) || surplus-- <= 0)
  return kept.slice(0, Math.max(0, room))
}

const columnsOf = ({ nodes, now }: ClusterView): readonly Column<NodeView>[] => {
  const widest = (texts: readonly string[], min: number): number => Math.max(min, ...texts.map(widthOf))
  const column = (title: string, rank: number, textOf: (node: NodeView) => string, minWidth: number): Column<NodeView> => {
    const width = widest(nodes.map(textOf), minWidth)
    const draw = (node: NodeView, width: number): string => {
      const text = fitted(textOf(node), width)
      return isHere(node) ? text : styleText('dim', text)
    }
    return { title, rank, minWidth: width, maxWidth: width, draw }
  }
  return [
    column('NODE', 9, ({ name }) => printable(name), 9),
    column('PID', 5, ({ pid }) => String(pid), 7),
    column('TAKES FROM', 2, queuesOf, 13),
    column('RUNNING', 6, (node) => (isHere(node) && Object.keys(node.queues).length > 0 ? String(node.running) : ''), 7),
    {
      title: 'STATE',
      rank: 7,
      minWidth: 12,
      maxWidth: 200,
      draw: (node, width) => styleText(styles[node.state], fitted(shortened(stateOf(node, now), width, 'end'), width)),
    },
  ]
}

const queuesOf = ({ queues, state }: NodeView): string => {
  if (state === 'starting') return ''
  const texts = Object.entries(queues).map(([queue, slots]) => `${printable(queue)} ×${slots}`)
  return texts.length === 0 ? 'submits only' : texts.join(', ')
}

const stateOf = ({ state, since, note }: NodeView, now: number): string => {
  const duration = durationOf(now - since)
  if (state === 'gone') return `stopped, ${duration} ago`
  const text = state === 'lost' ? `gone, ${duration} ago` : `${state}, ${duration}`
  return note === undefined ? text : `${text}: ${printable(note)}`
}
