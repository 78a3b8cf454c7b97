import type { TaskId } from '@taskledger/core'
import type { ReindexDetails, Row } from '@taskledger/example-reindex/terminal'
import type { ClusterView, NodeView } from '../src/screen/view.ts'

const startedAt = Date.UTC(2026, 0, 1, 12)
const now = startedAt + 42_000

const progressOf = (done: number, position: number, size: number): NonNullable<ReindexDetails['progress']> => ({
  attempt: 1,
  sequence: 1,
  at: startedAt,
  value: { done, indexed: done, known: 0, broken: 0, problems: [], at: { position, size }, pass: 1 },
})

export const rowOf = (name: string, details: Partial<ReindexDetails> = {}, kind: Row['mailbox']['kind'] = 'mbox'): Row => ({
  mailbox: { name, kind, path: `/mail/${name}` },
  rate: 0,
  details: {
    taskId: '019b7a5c-2c00-7000-8000-00000000abcd' as TaskId,
    type: 'reindex-mailbox',
    typeVersion: 2,
    status: 'waiting',
    version: 1,
    queue: 'mailboxes',
    labels: [],
    createdAt: startedAt + 1_000,
    createdOn: 'front-end-1',
    updatedAt: startedAt,
    attempt: 0,
    ...details,
  },
})

const finishedAt = startedAt + 9_000
const error = { name: 'Error', message: 'failed on purpose' }

export const rows: readonly Row[] = [
  rowOf('club.mbox', { status: 'completed', attempt: 1, node: 'n1', finishedAt }),
  rowOf('anna/Sent', { status: 'completed', attempt: 1, node: 'n2', finishedAt }, 'maildir'),
  rowOf('archive/crew-2023.mbox', { status: 'inProgress', attempt: 1, node: 'n1', progress: progressOf(120, 500, 1_000) }),
  rowOf('archive/crew-2024.mbox', { status: 'waiting', attempt: 1, node: 'n2', error, progress: progressOf(200, 480, 1_000) }),
  rowOf('archive/crew-2025.mbox', { status: 'waiting', attempt: 1, node: 'n2', progress: progressOf(30, 100, 1_000) }),
  rowOf('archive/newsletter', { status: 'cancelRequested', attempt: 1, node: 'n3', progress: progressOf(80, 80, 180) }, 'maildir'),
  rowOf('日本語のとても長い名前のメールボックス', { status: 'cancelled', attempt: 1, node: 'n3', finishedAt, cancelReason: 'enough' }),
  rowOf('broken.mbox', { status: 'failed', attempt: 3, node: 'n1', finishedAt, error }),
  rowOf('later.mbox'),
]

export const nodes: readonly NodeView[] = [
  { name: 'front-end', pid: 4100, queues: {}, running: 0, state: 'alive', since: startedAt },
  { name: 'worker-1', pid: 4111, key: '1', queues: { mailboxes: 2 }, running: 2, state: 'alive', since: startedAt + 1_000 },
  {
    name: 'worker-2',
    pid: 4112,
    key: '2',
    queues: { mailboxes: 2 },
    running: 1,
    state: 'draining',
    since: now - 1_000,
    note: 'then releases its tasks',
  },
  { name: 'worker-3', pid: 4113, key: '3', queues: { mailboxes: 2 }, running: 0, state: 'lost', since: now - 5_000, note: 'SIGKILL' },
  { name: 'worker-4', pid: 4114, key: '4', queues: {}, running: 0, state: 'starting', since: now },
  { name: 'worker-5', pid: 4115, key: '5', queues: { mailboxes: 2 }, running: 0, state: 'gone', since: now - 2_000 },
]

const names: Readonly<Record<string, string>> = { n1: 'worker-1', n2: 'worker-2', n3: 'worker-3' }

export const viewOf = (view: Partial<ClusterView> = {}): ClusterView => ({
  servers: [
    { what: 'Cassandra 5.0.8', origin: 'this machine', where: '127.0.0.1:9042 · keyspace cluster_12ab34cd' },
    { what: 'RabbitMQ 3.10.8', origin: 'environment', where: '127.0.0.1:5672 · prefix cluster_12ab34cd' },
  ],
  nodes,
  selectedNode: 'worker-1',
  tasks: rows,
  selectedTask: 3,
  nodeOf: ({ details }) => names[details?.node ?? ''] ?? '',
  news: Array.from({ length: 20 }, (_, at) => ({ at: startedAt + at * 1_000, text: `mailbox-${at}: started on worker-1` })),
  isStopping: false,
  startedAt,
  now,
  columns: 80,
  lines: 24,
  ...view,
})
