import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { renderCluster } from '../src/screen/render.ts'
import type { ClusterView, NodeView } from '../src/screen/view.ts'
import { nodes, rowOf, rows, viewOf } from './views.ts'

const render = (view: Partial<ClusterView> = {}): readonly string[] => renderCluster(viewOf(view)).map(stripVTControlCharacters)

/** The cells of the first line that begins with a name, whatever marks it. */
const cells = (name: string, view: Partial<ClusterView> = {}): readonly string[] =>
  (render({ columns: 200, lines: 60, ...view }).find((line) => line.slice(2).startsWith(name)) ?? '').slice(2).split(/ {2,}/)

describe('the screen', () => {
  it('shows how many tasks have ended, the servers, and the keyspace and prefix of the run', () => {
    const [head, cassandra, rabbitmq] = render()
    expect(head).toMatch(/^Taskledger · a cluster of processes +4 of 9 tasks ended · 42 s$/)
    expect(cassandra).toBe('Cassandra 5.0.8  this machine  127.0.0.1:9042 · keyspace cluster_12ab34cd')
    expect(rabbitmq).toBe('RabbitMQ 3.10.8  environment   127.0.0.1:5672 · prefix cluster_12ab34cd')
  })

  it.each([
    ['worker-5', ['worker-5', '4115', 'mailboxes ×2', 'stopped, 2 s ago']],
    ['front-end', ['front-end', '4100', 'submits only', 'alive, 42 s']],
    ['worker-1', ['worker-1', '4111', 'mailboxes ×2', '2', 'alive, 41 s']],
    ['worker-2', ['worker-2', '4112', 'mailboxes ×2', '1', 'draining, 1 s: then releases its tasks']],
    ['worker-3', ['worker-3', '4113', 'mailboxes ×2', 'gone, 5 s ago: SIGKILL']],
    ['worker-4', ['worker-4', '4114', 'starting, 0 s']],
  ])('shows the node %s', (name, expected) => {
    expect(cells(name)).toEqual(expected)
  })

  const taskId = '019b7a5c-2c00-7000-8000-00000000abcd'
  const bar = expect.stringMatching(/^[█░]+$/) as unknown
  const fullBar = expect.stringMatching(/^█+ 100%$/) as unknown
  it.each([
    ['club.mbox', ['club.mbox', 'done', 'worker-1', fullBar, '1', '8.0 s', taskId]],
    ['archive/crew-2023', ['archive/crew-2023.mbox', 'running', 'worker-1', bar, '50%', '120/~240', '1', '41 s', taskId]],
    ['archive/crew-2024', ['archive/crew-2024.mbox', 'retrying', 'worker-2', bar, '48%', '200/~417', '1', '41 s', taskId]],
    ['archive/crew-2025', ['archive/crew-2025.mbox', 'released', 'worker-2', bar, '10%', '30/~300', '1', '41 s', taskId]],
    ['archive/newsletter', ['archive/newsletter', 'cancelling', 'worker-3', bar, '44%', '80/180', '1', '41 s', taskId]],
    ['日本語', ['日本語のとても長い名前のメールボックス', 'cancelled', 'worker-3', bar, '0%', '1', '8.0 s', taskId]],
    ['later.mbox', ['later.mbox', 'waiting', bar, '0%', '41 s', taskId]],
  ])('shows the task of %s', (name, expected) => {
    expect(cells(name)).toEqual(expected)
  })

  it('marks the selected task, and shows its details below', () => {
    expect(render().filter((line) => line.startsWith('❯ '))).toEqual([expect.stringContaining('crew-2024')])
    expect(render().at(-2)).toBe('/mail/archive/crew-2024.mbox: failed on purpose')
    expect(render({ selectedTask: 6 }).at(-2)).toBe('/mail/日本語のとても長い名前のメールボックス: enough')
    expect(render({ selectedTask: 0 }).at(-2)).toBe('/mail/club.mbox')
    expect(render({ message: 'worker-5 is ready' }).at(-2)).toBe('worker-5 is ready')
    expect(render({ tasks: [] }).at(-2)).toBe('')
  })

  it('shows the number of hidden tasks, above and below', () => {
    const titleOf = (selectedTask: number): string =>
      render({ tasks: Array.from({ length: 40 }, (_, at) => rowOf(`mailbox ${at}`)), selectedTask })
        .find((line) => line.includes('MAILBOX'))
        ?.trim()
        .split(/ {2,}/)[0] ?? ''
    expect(titleOf(0)).toMatch(/^MAILBOX · ↓\d+ more$/)
    expect(titleOf(20)).toMatch(/^MAILBOX · ↑\d+ ↓\d+ more$/)
    expect(titleOf(39)).toMatch(/^MAILBOX · ↑\d+ more$/)
  })

  it('says that no worker is left, if a task waits for one', () => {
    const gone = nodes.filter(({ state, key }) => key === undefined || state === 'gone' || state === 'lost')
    expect(render({ nodes: gone }).at(-2)).toContain('no worker is left')
    expect(render({ nodes: gone, tasks: rows.slice(0, 2), selectedTask: 0 }).at(-2)).toBe('/mail/club.mbox')
  })

  it('marks the selected worker, and names the worker that x stops', () => {
    expect(render().filter((line) => line.startsWith('› '))).toEqual([expect.stringContaining('worker-1')])
    for (const columns of [80, 140]) expect(render({ columns }).at(-1)).toContain('x stop worker-1')
  })

  it('shows as much of the latest news as there is room for', () => {
    expect(render().filter((line) => line.includes('started on'))).toHaveLength(2)
    expect(render({ lines: 24 }).join('\n')).toContain('mailbox-19: started on worker-1')
    expect(render({ lines: 60 }).filter((line) => line.includes('started on'))).toHaveLength(20)
  })

  it('explains the keys, and a second Ctrl-C during the shutdown', () => {
    for (const columns of [80, 140])
      for (const key of ['s submit', 'c cancel', 'x stop', 'a add', 'q quit']) expect(render({ columns }).at(-1)).toContain(key)
    expect(render({ isStopping: true }).at(-1)).toBe('Shutting down in order · Ctrl-C again ends at once')
  })

  it('is never larger than the terminal, and always shows the selected task', { timeout: 60_000 }, () => {
    const many = Array.from({ length: 40 }, (_, at) => rowOf(`mailbox ${at}`))
    for (const columns of [1, 2, 7, 20, 39, 60, 79, 80, 100, 140, 200])
      for (const lines of [1, 2, 3, 5, 6, 8, 12, 16, 20, 24, 40])
        for (const tasks of [[], rows, many]) {
          const screen = render({ columns, lines, tasks, selectedTask: Math.max(0, tasks.length - 1), message: 'a message '.repeat(30) })
          const size = `${columns} columns, ${lines} lines, ${tasks.length} tasks`
          expect(screen.length, size).toBeLessThanOrEqual(lines)
          expect(Math.max(...screen.map((line) => stringWidth(line))), size).toBeLessThanOrEqual(Math.max(columns, 4))
          if (tasks.length > 0 && lines >= 3) expect(screen.join('\n'), size).toContain('❯')
        }
  })

  it('always has the same number of lines, so that the keys do not move', () => {
    for (const lines of [24, 40]) for (const tasks of [[], rows.slice(0, 2), rows]) expect(render({ lines, tasks })).toHaveLength(lines)
  })

  it('drops nodes that are gone first', () => {
    const gone = Array.from({ length: 5 }, (_, at): NodeView => ({ ...(nodes[3] as NodeView), name: `gone-${at}` }))
    const shown = render({ nodes: [...gone, ...nodes] }).join('\n')
    for (const name of ['front-end', 'worker-1', 'worker-2', 'worker-4']) expect(shown).toContain(name)
    expect(shown).not.toContain('gone-')
  })

  it('drops columns of a low rank if it is narrow', () => {
    const titles = (columns: number): string => render({ columns, lines: 40 }).find((line) => line.includes('MAILBOX')) ?? ''
    expect(titles(140).trim().split(/ {2,}/)).toEqual(['MAILBOX', 'STATUS', 'NODE', 'PROGRESS', 'MESSAGES', 'TRY', 'TIME', 'TASK'])
    expect(titles(80).trim().split(/ {2,}/)).toEqual(['MAILBOX', 'STATUS', 'NODE', 'PROGRESS', 'TRY', 'TIME'])
    expect(titles(40).trim().split(/ {2,}/)).toEqual(['MAILBOX', 'STATUS'])
  })

  it('shows no control characters', () => {
    const bad = rowOf('a\u001b[31mb\nc', { status: 'failed', attempt: 1, error: { name: 'Error', message: 'x\u001b]0;title\u0007y' } })
    const news = [{ at: 0, text: 'z\u001b[2Jz' }]
    const lines = render({ tasks: [bad], selectedTask: 0, news })
    expect(lines.join('\n')).toContain('a [31mb c')
    expect(lines.join('\n')).toContain('x ]0;title y')
    expect(lines.join('\n')).toContain('z [2Jz')
  })
})
