import { stripVTControlCharacters } from 'node:util'
import type { TaskDetails } from '@taskledger/core'
import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import type { MailboxKind } from '../../src/mail/mailbox.ts'
import type { ReindexDetails, Row } from '../../src/reindex-run.ts'
import type { ReindexProgress } from '../../src/reindex-task.ts'
import type { TableView } from '../../src/terminal/table.ts'
import { renderTable } from '../../src/terminal/table.ts'

const progress = (done: number, position: number, size: number): ReindexProgress => ({
  done,
  indexed: done,
  known: 0,
  broken: 0,
  problems: [],
  at: { position, size },
  pass: 1,
})

const row = (name: string, details: Partial<ReindexDetails> = {}, value?: ReindexProgress, kind: MailboxKind = 'mbox'): Row => ({
  mailbox: { name, kind, path: `/mail/${name}` },
  rate: details.status === 'inProgress' ? 1234 : 0,
  details: {
    taskId: '00000000-0000-7000-8000-000000000000' as TaskDetails['taskId'],
    type: 'reindex-mailbox',
    typeVersion: 2,
    status: 'waiting',
    version: 1,
    queue: 'mailboxes',
    labels: [],
    createdAt: 0,
    createdOn: 'front-end',
    updatedAt: 0,
    attempt: 0,
    ...details,
    ...(value === undefined
      ? {}
      : { progress: { attempt: 1, sequence: 1, at: 0, value: { ...value, at: { ...value.at }, problems: [] } } }),
  },
})

const error = { name: 'Error', message: 'the disk is full' }

const rows: readonly Row[] = [
  row('inbox'),
  row('lists/dev.mbox', { status: 'inProgress', attempt: 1, node: 'worker-1' }, progress(250, 500, 1_000)),
  row('Maildir', { status: 'cancelRequested', attempt: 1, node: 'worker-2' }, progress(30, 30, 120), 'maildir'),
  row('old', { status: 'waiting', attempt: 1, node: 'worker-1', error }, progress(10, 10, 100)),
  row('sent', { status: 'completed', attempt: 1, node: 'worker-2' }, progress(77, 1_000, 1_000)),
  row('broken', { status: 'failed', attempt: 3, node: 'worker-1', error }),
  row('日本語のとても長い名前のメールボックス', { status: 'cancelled', attempt: 1, node: 'worker-1', cancelReason: 'enough' }),
  row('stopped', { status: 'waiting', attempt: 1, node: 'worker-1' }, progress(10, 10, 100)),
]

const render = (view: Partial<TableView> = {}): readonly string[] =>
  renderTable({
    rows,
    nodeOf: ({ details }) => details?.node ?? '',
    selected: 0,
    elapsedMs: 12_345,
    index: '.taskledger-index',
    isStopping: false,
    columns: 120,
    lines: 40,
    ...view,
  }).map(stripVTControlCharacters)

/** The cells of the row of a mailbox. */
const cells = (name: string, view: Partial<TableView> = {}): readonly string[] =>
  (render(view).find((line) => line.slice(2).startsWith(name)) ?? '').slice(2).split(/ {2,}/)

describe('a row', () => {
  it.each([
    ['inbox', ['inbox', 'waiting', expect.stringMatching(/^░+$/), '0%']],
    ['lists/dev.mbox', ['lists/dev.mbox', 'running', 'worker-1', expect.stringMatching(/^(█+)░+$/), '50%', '250/~500', '1,234/s']],
    ['Maildir', ['Maildir', 'cancelling', 'worker-2', expect.stringMatching(/^█+░+$/), '25%', '30/120']],
    ['old', ['old', 'retrying', 'worker-1', expect.any(String), '10%', '10/~100']],
    ['sent', ['sent', 'done', 'worker-2', expect.stringMatching(/^█+ 100%$/), '77']],
    ['broken', ['broken', 'failed', 'worker-1', expect.any(String), '0%']],
    ['stopped', ['stopped', 'released', 'worker-1', expect.any(String), '10%', '10/~100']],
  ])('shows the state of %s', (name, expected) => {
    expect(cells(name)).toEqual(expected)
  })

  it('has its details below the table if it is selected', () => {
    expect(render({ selected: 5 }).at(-2)).toBe('attempt 3 · 0 new, 0 known, 0 broken · the disk is full')
    expect(render({ selected: 6 }).at(-2)).toBe('0 new, 0 known, 0 broken · enough')
    expect(render({ selected: 1 }).at(-2)).toBe('250 new, 0 known, 0 broken · /mail/lists/dev.mbox')
    expect(render({ selected: 5 }).find((line) => line.startsWith('❯'))).toContain('broken')
  })

  it('shows no control characters', () => {
    const bad = row('a\u001b[31mb\nc\u202ed', { status: 'failed', attempt: 1, error: { name: 'Error', message: 'x\u001b]0;title\u0007y' } })
    const lines = renderTable({
      rows: [bad],
      nodeOf: () => '',
      selected: 0,
      elapsedMs: 0,
      index: 'i',
      isStopping: false,
      columns: 80,
      lines: 24,
    }).map(stripVTControlCharacters)
    expect(lines.join('')).toContain('a [31mb cd')
    expect(lines.join('')).toContain('x ]0;title y')
  })
})

describe('the screen', () => {
  it('shows how many have ended, the time, and the keys', () => {
    const lines = render({ note: 'a note' })
    expect(lines[0]).toMatch(/^Reindexing into \.taskledger-index +3 of 8 mailboxes · 12 s$/)
    expect(lines[1]).toBe('a note')
    expect(lines.at(-1)).toBe('↑ ↓ select · c cancel this mailbox · q shut down')
    expect(render({ isStopping: true }).at(-1)).toContain('Shutting down')
  })

  it('is never larger than the terminal', { timeout: 60_000 }, () => {
    const many = Array.from({ length: 100 }, (_, at) => rows[at % rows.length] as Row)
    for (let columns = 1; columns <= 200; columns += 3)
      for (const lines of [1, 2, 3, 5, 6, 8, 12, 24, 60])
        for (const shown of [[], rows, many]) {
          const screen = render({ columns, lines, rows: shown, selected: Math.max(0, shown.length - 1), note: 'a note '.repeat(30) })
          const size = `${columns} columns, ${lines} lines, ${shown.length} rows`
          expect(screen.length, size).toBeLessThanOrEqual(lines)
          expect(Math.max(...screen.map((line) => stringWidth(line))), size).toBeLessThanOrEqual(Math.max(columns, 4))
        }
  })

  it('always shows the selected row', () => {
    const many = Array.from({ length: 100 }, (_, at) => row(`mailbox ${at}`))
    for (const selected of [0, 1, 49, 98, 99])
      expect(render({ rows: many, selected, lines: 10 }).join('\n')).toMatch(new RegExp(`❯ mailbox ${selected} `))
  })

  it('drops the rate first, then node, messages, bar and status, if it is narrow', () => {
    const shown = (columns: number): string => {
      const text = render({ columns }).find((line) => line.includes('dev.mbox')) ?? ''
      return [/running/, /worker-1/, /█/, /250/, /\/s/].map((pattern) => (pattern.test(text) ? 'x' : '-')).join('')
    }
    const widths = Array.from({ length: 120 }, (_, at) => shown(121 - at))
    expect([...new Set(widths)]).toEqual(['xxxxx', 'xxxx-', 'x-xx-', 'x-x--', 'x----', '-----'])
  })
})
