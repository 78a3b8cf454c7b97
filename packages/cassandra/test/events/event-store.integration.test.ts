import { cassandraStorage } from '@taskledger/cassandra'
import type { TaskStorage, TaskId } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import { tcpProxy } from '@taskledger/test-kit'
import { Client } from 'cassandra-driver'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { openSession } from '../../src/schema/open-session.ts'
import type { TestKeyspace } from '../cassandra.harness.ts'
import { addressOf, injectEventWith, openKeyspace } from '../cassandra.harness.ts'
import { cohortIds, created, oneId, started } from '../samples.ts'

const endpoint = inject('servers').cassandra
let keyspace: TestKeyspace

beforeAll(async () => {
  keyspace = await openKeyspace(endpoint)
})
afterAll(async () => {
  await keyspace[Symbol.asyncDispose]()
})

interface Counted {
  readonly storage: TaskStorage
  /** The number of requests that wrote to histories since the last call. */
  writes(): number
  /** The number of requests that read histories since the last call. */
  reads(): number
  [Symbol.asyncDispose](): Promise<void>
}

/** A storage that counts the requests of its client. */
const countedStorage = async (): Promise<Counted> => {
  const client = new Client({ ...addressOf(endpoint), contactPoints: [...endpoint.contactPoints] })
  const counts = { writes: 0, reads: 0 }
  const counted =
    (send: unknown) =>
    (request: unknown, ...more: readonly unknown[]): unknown => {
      const statements = JSON.stringify(request)
      if (statements.includes('task_event')) counts[statements.includes('SELECT') ? 'reads' : 'writes']++
      return (send as (...all: readonly unknown[]) => unknown)(request, ...more)
    }
  Object.assign(client, { execute: counted(client.execute.bind(client)), batch: counted(client.batch.bind(client)) })
  const { prefix, keyspace: name } = keyspace.options()
  const storage = await cassandraStorage({ client, keyspace: name, prefix, logger: silentLogger })
  // The opening checks its permission with a write.
  counts.writes = 0
  const take = (what: keyof typeof counts): number => {
    const seen = counts[what]
    counts[what] = 0
    return seen
  }
  return {
    storage,
    writes: () => take('writes'),
    reads: () => take('reads'),
    [Symbol.asyncDispose]: async () => {
      await storage.close()
      await client.shutdown()
    },
  }
}

const withStorage = async <T>(use: (storage: TaskStorage) => Promise<T>): Promise<T> => {
  const storage = await cassandraStorage(keyspace.options())
  try {
    return await use(storage)
  } finally {
    await storage.close()
  }
}

describe('a cohort', () => {
  test('whose tasks are submitted together and started together takes one request each time', async () => {
    await using counted = await countedStorage()
    const { events } = counted.storage
    const ids = cohortIds(32)
    await Promise.all(ids.map((id) => events.append(id, 0, [created(id)], { isFresh: true })))
    expect(counted.writes()).toBe(1)
    await Promise.all(ids.map((id) => events.append(id, 1, [started(id)])))
    expect(counted.writes()).toBe(1)
    for (const id of ids) expect(await events.read(id)).toHaveLength(2)
  })

  test('whose histories are read together takes one request, and each reader gets its own history', async () => {
    await using counted = await countedStorage()
    const { events } = counted.storage
    const [unknown, ...ids] = cohortIds(32) as readonly [TaskId, ...TaskId[]]
    const histories = new Map(ids.map((id) => [id, [created(id), started(id)]]))
    await Promise.all(Array.from(histories, ([id, history]) => events.append(id, 0, history)))
    const reads = [unknown, ...ids].map((id, index) => events.read(id, { afterVersion: index % 3 }))
    expect(await Promise.all(reads)).toEqual([unknown, ...ids].map((id, index) => (histories.get(id) ?? []).slice(index % 3)))
    expect(counted.reads()).toBe(1)
  })

  test('writes its other appends when some have lost, are retried, or are ahead', async () => {
    await withStorage(async ({ events }) => {
      const ids = cohortIds(6)
      const [first, lost, repeated, ahead, unknown, last] = ids as readonly [TaskId, TaskId, TaskId, TaskId, TaskId, TaskId]
      for (const id of ids) if (id !== unknown) await events.append(id, 0, [created(id)], { isFresh: true })
      await events.append(lost, 1, [started(lost)])
      const again = started(repeated)
      await events.append(repeated, 1, [again])
      const outcomes = await Promise.allSettled([
        events.append(first, 1, [started(first)]),
        events.append(lost, 1, [started(lost)]),
        events.append(repeated, 1, [again]),
        events.append(ahead, 4, [started(ahead, 5)]),
        events.append(unknown, 1, [started(unknown)]),
        events.append(last, 1, [started(last)]),
      ])
      expect(outcomes).toMatchObject([
        { status: 'fulfilled' },
        { reason: { code: 'VERSION_CONFLICT', actualVersion: 2 } },
        { status: 'fulfilled' },
        { reason: { code: 'VERSION_CONFLICT', actualVersion: 1 } },
        { reason: { code: 'VERSION_CONFLICT', actualVersion: 0 } },
        { status: 'fulfilled' },
      ])
      const versions = await Promise.all(ids.map(async (id) => (await events.read(id)).length))
      expect(versions).toEqual([2, 2, 2, 1, 0, 2])
    })
  })

  test('may be written by several nodes at the same time', async () => {
    const options = keyspace.options()
    const one = await cassandraStorage(options)
    const nodes = [one, await cassandraStorage(options), await cassandraStorage(options)]
    const ids = cohortIds(24)
    await Promise.all(ids.map((id) => one.events.append(id, 0, [created(id)], { isFresh: true })))
    // Each task is started by two of the nodes: one of them wins.
    const appends = ids.flatMap((id, index) =>
      [0, 1].map((other) => (nodes[(index + other) % 3] ?? one).events.append(id, 1, [started(id)])),
    )
    const outcomes = await Promise.allSettled(appends)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(24)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'VERSION_CONFLICT' })
    for (const id of ids) expect(await one.events.read(id)).toHaveLength(2)
    await Promise.all(nodes.map((node) => node.close()))
  })
})

describe('a fresh append', () => {
  test('may be retried after other writes', async () => {
    await withStorage(async ({ events }) => {
      const id = oneId()
      const [first, second] = [created(id), started(id)]
      await events.append(id, 0, [first], { isFresh: true })
      await events.append(id, 1, [second])
      await events.append(id, 0, [first], { isFresh: true })
      await events.append(id, 0, [first])
      expect(await events.read(id)).toEqual([first, second])
    })
  })

  // The clock of a submitter may be wrong by years: a removal must win all the same.
  test.each([0, 1_700_000_000_000, Date.UTC(2200, 0)])('at the time %d stays removed when it is retried', async (at) => {
    await withStorage(async ({ events }) => {
      const id = oneId()
      const first = created(id, { at })
      await events.append(id, 0, [first], { isFresh: true })
      await events.append(id, 1, [started(id)])
      await events.remove(id)
      expect(await events.read(id)).toEqual([])
      await events.append(id, 0, [first], { isFresh: true })
      expect(await events.read(id)).toEqual([])
      await expect(events.append(id, 1, [started(id)])).rejects.toMatchObject({ code: 'VERSION_CONFLICT', actualVersion: 0 })
    })
  })
})

test('a removal that races with an append leaves nothing, whichever is first', async () => {
  const options = keyspace.options()
  const [one, other] = [await cassandraStorage(options), await cassandraStorage(options)]
  for (let round = 0; round < 15; round++) {
    const id = oneId()
    await one.events.append(id, 0, [created(id)], { isFresh: true })
    const [append] = await Promise.allSettled([one.events.append(id, 1, [started(id)]), other.events.remove(id)])
    if (append.status === 'rejected') expect(append.reason).toMatchObject({ code: 'VERSION_CONFLICT', actualVersion: 0 })
    expect(await one.events.read(id)).toEqual([])
  }
  await Promise.all([one.close(), other.close()])
})

describe('rows that the codec did not write', () => {
  const unreadable: readonly (readonly [name: string, text: string, code: string])[] = [
    ['half an event', '{"v":1,"type":"TaskSta', 'MALFORMED'],
    ['nothing', '', 'MALFORMED'],
    ['1 MB of zeros', '\0'.repeat(1_000_000), 'MALFORMED'],
    ['JSON of another format', '{"user":"ada","roles":["admin"]}', 'MALFORMED'],
    ['an event of a newer release', '{"v":2,"type":"TaskHibernated"}', 'UNKNOWN_EVENT_TYPE'],
  ]
  test.each(unreadable)('are reported, and affect no other task: %s', async (_name, text, code) => {
    const options = keyspace.options()
    const session = await openSession(options)
    const { events, close } = await cassandraStorage(options)
    const [broken, whole] = cohortIds(2) as readonly [TaskId, TaskId]
    for (const id of [broken, whole]) await events.append(id, 0, [created(id)], { isFresh: true })
    await injectEventWith(session)(new TextEncoder().encode(text), broken)
    // Both appends in one batch.
    const [refused, accepted] = await Promise.allSettled([
      events.append(broken, 1, [started(broken)]),
      events.append(whole, 1, [started(whole)]),
    ])
    expect(refused).toMatchObject({ reason: { code: 'VERSION_CONFLICT', actualVersion: 2 } })
    expect(accepted).toMatchObject({ status: 'fulfilled' })
    for (const _ of [1, 2]) await expect(events.read(broken)).rejects.toMatchObject({ code })
    expect(await events.read(broken, { afterVersion: 2 })).toEqual([])
    const [unread, read] = await Promise.allSettled([events.read(broken), events.read(whole)])
    expect(unread).toMatchObject({ reason: { code } })
    expect(read).toMatchObject({ value: { length: 2 } })
    await Promise.all([close(), session.close()])
  })
})

test('two applications on one keyspace do not see each other', async () => {
  const [ours, theirs] = [await cassandraStorage(keyspace.options('ours')), await cassandraStorage(keyspace.options('theirs'))]
  const id = oneId()
  const [first, second] = [created(id), created(id)]
  await ours.events.append(id, 0, [first])
  await theirs.events.append(id, 0, [second])
  expect(await ours.events.read(id)).toEqual([first])
  expect(await theirs.events.read(id)).toEqual([second])
  await ours.events.remove(id)
  expect(await theirs.events.read(id)).toEqual([second])
  const node = { nodeId: 'n', name: 'n', startedAt: 0, renewedAt: 0, queues: {}, running: 0, delivered: {} }
  await ours.nodes.renew(node, 60_000)
  expect(await theirs.nodes.live()).toEqual([])
  await Promise.all([ours.close(), theirs.close()])
})

test('an aborted append rejects at once, and the other appends of its batch are written', async () => {
  const [host = '', port = '9042'] = (endpoint.contactPoints[0] ?? '').split(':')
  await using proxy = await tcpProxy({ host, port: Number(port) })
  const { events, close } = await cassandraStorage({ ...keyspace.options(), contactPoints: [`${proxy.host}:${proxy.port}`] })
  const ids = cohortIds(4)
  for (const id of ids) await events.append(id, 0, [created(id)], { isFresh: true })
  const restore = await proxy.faults.stall()
  const abort = new AbortController()
  const first = events.append(ids[0] as TaskId, 1, [started(ids[0] as TaskId)], { signal: abort.signal })
  await new Promise((resolve) => setImmediate(resolve))
  const [given, ...rest] = ids.slice(1).map((id, index) => events.append(id, 1, [started(id)], index === 0 ? { signal: abort.signal } : {}))
  const refusals = Promise.allSettled([first, given])
  const reason = new Error('gave up')
  abort.abort(reason)
  expect(await refusals).toEqual([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ])
  await restore()
  await Promise.all(rest)
  // The append in flight was written, the waiting one was not.
  expect(await Promise.all(ids.map(async (id) => (await events.read(id)).length))).toEqual([2, 1, 2, 2])
  await close()
})
