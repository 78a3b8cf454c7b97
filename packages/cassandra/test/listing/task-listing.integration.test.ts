import type { Logger, TaskDetails, TaskListing, UnreadableRow } from '@taskledger/core/ports'
import { codeOf, isUnreadableRow, shardOf, silentLogger } from '@taskledger/core/ports'
import { taskListingContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { afterAll, beforeAll, describe, inject, it, vi } from 'vitest'
import { bucketOf, unfinishedBucketMs, unfinishedShards } from '../../src/listing/tables/buckets.ts'
import { clockTimestamp } from '../../src/listing/tables/timestamps.ts'
import { forgottenAfterMs } from '../../src/listing/tables/partition-index.ts'
import type { Session } from '../../src/connection/session.ts'
import { requireTimeToLive } from '../../src/schema/check.ts'
import { defaultListBucketMs } from '../../src/schema/steps.ts'
import { openSession } from '../../src/schema/open-session.ts'
import { UnfinishedTable } from '../../src/listing/tables/unfinished-table.ts'
import type { TestKeyspace } from '../cassandra.harness.ts'
import { cassandraHarness, openKeyspace } from '../cassandra.harness.ts'
import { listingHarness } from './listing.harness.ts'
import { allOf, detailsWith, listingOn } from './samples.ts'

let keyspace: TestKeyspace

beforeAll(async () => {
  keyspace = await openKeyspace(inject('servers').cassandra)
})
afterAll(async () => {
  await keyspace[Symbol.asyncDispose]()
})

describeContract(taskListingContract(listingHarness(() => keyspace)))

/** A listing with a prefix of its own, and the session under it. */
const openListing = async ({ logger = silentLogger, finishedRowsTtlMs = 0 }: { logger?: Logger; finishedRowsTtlMs?: number } = {}) => {
  const options = { ...keyspace.options(), logger, finishedRowsTtlMs }
  const session = await openSession(options)
  const listing = listingOn(session, finishedRowsTtlMs)
  const own = session.share('the test')
  const close = async (): Promise<void> => void (await Promise.all([listing.close(), own.close()]))
  return { options, session, listing, [Symbol.asyncDispose]: close }
}

const unfinishedOf = (listing: TaskListing): Promise<(TaskDetails | UnreadableRow)[]> => allOf(listing.unfinished({ shard: 0, of: 1 }))

const minute = 60_000

describe('the listing on Cassandra', () => {
  it('finds a task that is 1,000 buckets back, by every filter', async ({ expect }) => {
    await using opened = await openListing()
    const { listing } = opened
    const now = Date.now()
    const old = detailsWith({ createdAt: now - 1_000 * defaultListBucketMs, labels: ['rare'] })
    const since = Array.from({ length: 999 }, (_, index) =>
      detailsWith({ createdAt: now - index * defaultListBucketMs, type: 'other', status: 'completed', version: 3 }),
    )
    await Promise.all([old, ...since].map((details) => listing.save(details)))
    for (const filter of [
      { label: 'rare' },
      { type: 'reindex' },
      { statuses: ['waiting'] },
      { until: now - 999 * defaultListBucketMs },
    ] as const)
      expect(await listing.list(filter, { limit: 10 })).toEqual({ tasks: [old] })
    expect(await unfinishedOf(listing)).toEqual([old])
    const { tasks } = await listing.list({}, { limit: 1_000 })
    expect(tasks.at(-1)).toEqual(old)
    expect(tasks).toHaveLength(1_000)
  })

  it('keeps applications of different prefixes apart', async ({ expect }) => {
    await using one = await openListing()
    await using other = await openListing()
    const details = detailsWith({ status: 'inProgress', version: 2, attempt: 1, labels: ['red'] })
    await one.listing.save(details)
    await one.listing.saveProgress(details, { attempt: 1, sequence: 1, at: 0, value: 1 })
    expect(await other.listing.list({}, { limit: 10 })).toEqual({ tasks: [] })
    expect(await other.listing.list({ label: 'red' }, { limit: 10 })).toEqual({ tasks: [] })
    expect(await unfinishedOf(other.listing)).toEqual([])
    expect(await other.listing.progress(details)).toBeUndefined()
    await other.listing.remove(details)
    expect((await one.listing.list({}, { limit: 10 })).tasks).toHaveLength(1)
  })

  it('does not bring a removed task back with a late save, and lists a new task of the same id', async ({ expect }) => {
    await using opened = await openListing()
    const { listing } = opened
    const details = detailsWith({ version: 5, labels: ['red'] })
    await listing.save(details)
    await listing.remove(details)
    for (const version of [2, 5, 6]) await listing.save({ ...details, version })
    for (const filter of [{}, { label: 'red' }, { type: 'reindex' }])
      expect(await listing.list(filter, { limit: 10 })).toEqual({ tasks: [] })
    expect(await unfinishedOf(listing)).toEqual([])
    const again = { ...details, version: 1, createdAt: details.createdAt + 1 }
    await listing.save(again)
    expect(await listing.list({ label: 'red' }, { limit: 10 })).toEqual({ tasks: [again] })
    expect(await unfinishedOf(listing)).toEqual([again])
  })

  it('lists a new task once, although rows of a removed task of the same id have stayed', async ({ expect }) => {
    await using opened = await openListing()
    const { listing } = opened
    const first = detailsWith({ version: 2, status: 'inProgress', attempt: 1, node: 'worker-1' })
    await listing.save(first)
    await listing.save({ ...first, version: 4, attempt: 2, node: 'worker-2' })
    // It does not know of the row by the node of the first attempt.
    await listing.remove(first)
    const again = { ...first, createdAt: first.createdAt + 1 }
    await listing.save(again)
    expect(await listing.list({ node: 'worker-1' }, { limit: 10 })).toEqual({ tasks: [again] })
  })

  it('lists a task by its present node, and not by those of its earlier attempts', async ({ expect }) => {
    await using opened = await openListing()
    const { listing } = opened
    const first = detailsWith({ version: 2, status: 'inProgress', attempt: 1, node: 'worker-1' })
    const second = { ...first, version: 4, attempt: 2, node: 'worker-2' }
    await listing.save(first)
    await listing.save(second)
    expect(await listing.list({ node: 'worker-1' }, { limit: 10 })).toEqual({ tasks: [] })
    expect(await listing.list({ node: 'worker-2' }, { limit: 10 })).toEqual({ tasks: [second] })
  })

  it('lists running tasks, and none that waits again or has ended', async ({ expect }) => {
    await using opened = await openListing()
    const { listing } = opened
    const now = Date.now()
    const running = detailsWith({ version: 2, status: 'inProgress', attempt: 1, createdAt: now })
    const cancelling = detailsWith({ version: 3, status: 'cancelRequested', attempt: 1, createdAt: now - 1 })
    const again = detailsWith({ version: 3, attempt: 1, createdAt: now - 2 })
    const ended = detailsWith({ version: 3, status: 'failed', attempt: 1, createdAt: now - 3 })
    for (const details of [running, cancelling, again, ended]) {
      await listing.save(details)
      await listing.save({ ...details, version: 2, status: 'inProgress' })
    }
    expect(await listing.list({ statuses: ['inProgress', 'cancelRequested'] }, { limit: 10 })).toEqual({ tasks: [running, cancelling] })
    expect(await listing.list({ statuses: ['cancelRequested'] }, { limit: 10 })).toEqual({ tasks: [cancelling] })
    expect(await listing.list({ statuses: ['waiting', 'inProgress'] }, { limit: 10 })).toEqual({ tasks: [running, again] })
    await listing.remove(running)
    expect(await listing.list({ statuses: ['inProgress'] }, { limit: 10 })).toEqual({ tasks: [] })
  })

  it('lists the end of a task with the longest time to live, and refuses one that Cassandra cannot store', async ({ expect }) => {
    const tenYearsMs = 315_360_000_000
    await using opened = await openListing({ finishedRowsTtlMs: tenYearsMs })
    const { listing, session } = opened
    const waiting = detailsWith({})
    const ended = { ...waiting, version: 2, status: 'completed' as const }
    await listing.save(waiting)
    await listing.save(ended)
    expect(await listing.list({}, { limit: 10 })).toEqual({ tasks: [ended] })
    await expect(requireTimeToLive(session, 630_720_001)).rejects.toMatchObject({
      code: 'MISCONFIGURED',
      message: expect.stringMatching(/finishedRowsTtlMs .*630720000.*give less/) as string,
    })
  })

  it('expires the rows of finished tasks, and no others', async ({ expect }) => {
    await using opened = await openListing({ finishedRowsTtlMs: 1_000 })
    const { listing } = opened
    const [finished, waiting] = [detailsWith({ status: 'completed', version: 3 }), detailsWith()]
    await listing.save({ ...finished, status: 'waiting', version: 1 })
    await listing.save(finished)
    await listing.save(waiting)
    await expect.poll(() => listing.list({}, { limit: 10 }), { timeout: 20_000 }).toEqual({ tasks: [waiting] })
  })

  it('names rows that cannot be read, and lists all the others', async ({ expect }) => {
    const warnings: string[] = []
    const warn = (_fields: object, message: string): void => void warnings.push(message)
    await using opened = await openListing({ logger: { ...silentLogger, warn } })
    const { listing, session } = opened
    const now = Date.now()
    const tasks = Array.from({ length: 4 }, (_, age) => detailsWith({ version: 2, attempt: 1, createdAt: now - age }))
    for (const task of tasks) await listing.save(task)
    const [spoilt, foreign, ...sound] = tasks as [TaskDetails, TaskDetails, ...TaskDetails[]]
    const spoil = async (table: string, bucketMs: number, shards: number, { taskId, createdAt }: TaskDetails, text: string) => {
      await session.execute(
        `INSERT INTO ${session.table(table)} (prefix, bucket, shard, facet, created_at, task_id, status, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        [
          session.prefix,
          new Date(bucketOf(createdAt, bucketMs)),
          shardOf(taskId, shards),
          '',
          new Date(createdAt),
          taskId,
          'waiting',
          text,
        ],
      )
    }
    for (const [task, text] of [
      [spoilt, '\u0000not JSON'],
      [foreign, JSON.stringify({ v: 1, ...sound[0] })],
    ] as const) {
      await spoil('task_list', defaultListBucketMs, 4, task, text)
      await spoil('task_unfinished', unfinishedBucketMs, unfinishedShards, task, text)
    }
    await session.execute(`INSERT INTO ${session.table('task_progress')} (prefix, task_id, created_at, progress) VALUES (?, ?, ?, ?)`, [
      session.prefix,
      sound[0]?.taskId,
      new Date(sound[0]?.createdAt ?? 0),
      '{}',
    ])
    for (const filter of [{}, { type: 'reindex' }, { statuses: ['waiting'] }] as const) {
      warnings.length = 0
      const { tasks, unreadable } = await listing.list(filter, { limit: 10 })
      expect(tasks).toEqual(sound)
      expect(unreadable?.map(({ taskId }) => taskId)).toEqual([spoilt.taskId, foreign.taskId])
      // The row of the progress.
      expect(warnings.filter((message) => message.includes('cannot be read'))).toHaveLength(1)
    }
    const open = await unfinishedOf(listing)
    expect(new Set(open.filter((row) => !isUnreadableRow(row)))).toEqual(new Set(sound))
    expect(new Set(open.filter(isUnreadableRow).map(({ taskId }) => taskId))).toEqual(new Set([spoilt.taskId, foreign.taskId]))
    expect(await listing.progress(sound[0] as TaskDetails)).toBeUndefined()
    await listing.remove(spoilt)
  })
})

describe('the listing on a bad network', () => {
  /** Retries a call until it succeeds, as core does. */
  const retried = async <T>(call: () => Promise<T>): Promise<T> => {
    for (let failures = 0; ; failures++) {
      try {
        return await call()
      } catch (error) {
        if (!['UNAVAILABLE', 'OUTCOME_UNKNOWN'].includes(codeOf(error) ?? '') || failures > 300) throw error
      }
    }
  }

  it('lists every task once when saves were retried after broken connections', async ({ expect }) => {
    const subject = await cassandraHarness(() => keyspace, listingOn).open({ namespace: 'cut' })
    const now = Date.now()
    const tasks = Array.from({ length: 200 }, (_, index) => detailsWith({ createdAt: now - index, labels: ['red'] }))
    const saving = Promise.all(tasks.map((task) => retried(() => subject.port.save(task))))
    for (let cuts = 0; cuts < 3; cuts++) {
      await subject.faults?.cut?.()
      await subject.port.list({}, { limit: 1 }).catch(() => undefined)
    }
    await saving
    for (const filter of [{}, { label: 'red' }, { statuses: ['waiting'] }] as const)
      expect(await retried(() => subject.port.list(filter, { limit: 1_000 }))).toEqual({ tasks })
    await subject[Symbol.asyncDispose]?.()
  })

  it('reports an unknown outcome when the answer is lost, and has the row after a retry', async ({ expect }) => {
    const subject = await cassandraHarness(() => keyspace, listingOn).open({ namespace: 'lost' })
    const details = detailsWith()
    await retried(() => subject.port.save(detailsWith({ createdAt: details.createdAt - 1 })))
    const restore = await subject.faults?.loseReplies?.()
    const outcome = await subject.port.save(details).then(() => 'saved', codeOf)
    await restore?.()
    expect(outcome).toBe('OUTCOME_UNKNOWN')
    await retried(() => subject.port.save(details))
    expect((await retried(() => subject.port.list({}, { limit: 10 }))).tasks[0]).toEqual(details)
    await subject[Symbol.asyncDispose]?.()
  })
})

describe('the index of the unfinished tasks', () => {
  /** Writes the index row of a task's partition with an old timestamp. */
  const leaveIndexRow = async (session: Session, { taskId, createdAt }: TaskDetails, seen: number): Promise<void> => {
    await session.execute(
      `INSERT INTO ${session.table('task_unfinished_bucket')} (prefix, facet, shard, bucket, seen) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?`,
      [
        session.prefix,
        '',
        shardOf(taskId, unfinishedShards),
        new Date(bucketOf(createdAt, unfinishedBucketMs)),
        new Date(seen),
        clockTimestamp(seen),
      ],
    )
  }

  const indexRows = async (session: Session): Promise<number> => {
    const shards = Array.from({ length: unfinishedShards }, (_, shard) =>
      session.execute(`SELECT bucket FROM ${session.table('task_unfinished_bucket')} WHERE prefix = ? AND facet = ? AND shard = ?`, [
        session.prefix,
        '',
        shard,
      ]),
    )
    return (await Promise.all(shards)).flat().length
  }

  it('forgets partitions that have long been empty, and no others', async ({ expect }) => {
    await using opened = await openListing()
    const { listing, session } = opened
    const now = Date.now()
    const [gone, fresh, there] = [1, 2, 3].map((days) => detailsWith({ createdAt: now - days * 1_440 * minute })) as [
      TaskDetails,
      TaskDetails,
      TaskDetails,
    ]
    await leaveIndexRow(session, gone, now - forgottenAfterMs - 1)
    await leaveIndexRow(session, fresh, now - minute)
    await listing.save(there)
    expect(await indexRows(session)).toBe(3)
    expect(await unfinishedOf(listing)).toEqual([there])
    expect(await indexRows(session)).toBe(2)
    await leaveIndexRow(session, gone, now - forgottenAfterMs - 1)
    expect(await indexRows(session), 'a late write with the old timestamp does not bring the index row back').toBe(2)
  })

  it('has the time of the hosts, so that a node whose clock is hours off loses no partition', async ({ expect }) => {
    await using opened = await openListing()
    const { listing, session } = opened
    vi.spyOn(session.serverTime, 'now').mockResolvedValue(Date.UTC(2024, 1, 29))
    await listing.save(detailsWith({ createdAt: Date.now() - 7_200_000 }))
    const rows = await session.execute(
      `SELECT seen, WRITETIME(seen) AS written FROM ${session.table('task_unfinished_bucket')} WHERE prefix = ? ALLOW FILTERING`,
      [session.prefix],
    )
    expect(rows).toHaveLength(1)
    expect(rows[0]?.['seen']).toEqual(new Date(Date.UTC(2024, 1, 29)))
    expect(String(rows[0]?.['written'])).toBe(clockTimestamp(Date.UTC(2024, 1, 29)))
  })

  it('keeps the partition of a task that was saved during the scan', async ({ expect }) => {
    await using opened = await openListing()
    const { listing, session } = opened
    const task = detailsWith({ createdAt: Date.now() - 1_440 * minute })
    await leaveIndexRow(session, task, Date.now() - forgottenAfterMs - 1)
    let deletions = 0
    // The task is saved after the scan has found the partition empty, and before it deletes the index row.
    const execute = session.execute.bind(session)
    const overtaken = vi.spyOn(session, 'execute').mockImplementation(async (cql, params, options) => {
      if (cql.startsWith('DELETE')) {
        deletions++
        await listing.save(task)
      }
      return execute(cql, params, options)
    })
    expect(await allOf(new UnfinishedTable(session).walk({ shard: 0, of: 1 }, {}))).toEqual([])
    expect(deletions).toBe(1)
    overtaken.mockRestore()
    expect(await unfinishedOf(listing)).toEqual([task])
  })
})
