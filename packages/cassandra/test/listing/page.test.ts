import type { TaskDetails, TaskFilter } from '@taskledger/core/ports'
import { compareListed } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import type { FacetPartition } from '../../src/listing/tables/buckets.ts'
import { bucketOf } from '../../src/listing/tables/buckets.ts'
import type { FacetRows } from '../../src/listing/tables/faceted-table.ts'
import { readTasks } from '../../src/listing/page.ts'
import type { Stretch } from '../../src/listing/tables/rows.ts'
import { everything } from '../../src/listing/tables/rows.ts'
import { wholeBuckets } from '../../src/listing/walk.ts'
import { allOf, detailsWith } from './samples.ts'

const width = 1_000

const isIn = ({ after, since }: Stretch, task: TaskDetails): boolean => compareListed(after, task) < 0 && task.createdAt >= since

/** The partition of a bucket, seen by the facet of every task. */
const partitionOf = (bucket: number, shard = 0): FacetPartition => ({ bucket, shard, facet: '', seen: 0 })

/** A table of one shard that counts its calls. */
class CountingTable implements FacetRows {
  readonly asked = { rows: 0, details: 0, together: 0 }
  readonly #tasks: readonly TaskDetails[]
  #inFlight = 0

  constructor(tasks: readonly TaskDetails[]) {
    this.#tasks = [...tasks].sort(compareListed)
  }

  async *partitions(stretch: Stretch) {
    const buckets = new Set(this.#tasks.filter((task) => isIn(stretch, task)).map(({ createdAt }) => bucketOf(createdAt, width)))
    for (const bucket of buckets) yield partitionOf(bucket)
  }

  async rows(partition: FacetPartition, stretch: Stretch, limit: number) {
    this.asked.rows++
    this.asked.together = Math.max(this.asked.together, ++this.#inFlight)
    await Promise.resolve()
    this.#inFlight--
    const rows = this.#tasks.filter((task) => isIn(stretch, task) && bucketOf(task.createdAt, width) === partition.bucket)
    const items = rows.slice(0, limit).map(({ createdAt, taskId, status }) => ({ createdAt, taskId, status, partition }))
    return { items, more: rows.length >= limit }
  }

  async details(_partition: unknown, rows: readonly { taskId: string }[]) {
    this.asked.details++
    return this.#tasks.filter(({ taskId }) => rows.some((row) => row.taskId === taskId))
  }
}

describe('a page', () => {
  it('is read from the newest buckets alone if they have enough rows', async () => {
    const tasks = Array.from({ length: 500 }, (_, index) => detailsWith({ createdAt: index * 100 }))
    const table = new CountingTable(tasks)
    const page = await readTasks(table, {}, everything, 5, {})
    expect(page).toEqual([...tasks].sort(compareListed).slice(0, 5))
    expect(table.asked).toMatchObject({ rows: 4, details: 1 })
  })

  it('has exactly as many tasks as the limit, over many buckets with one task each', async () => {
    const tasks = Array.from({ length: 300 }, (_, index) => detailsWith({ createdAt: index * width * 50 }))
    const expected = [...tasks].sort(compareListed)
    for (const limit of [1, 7, 299, 300, 301, 1_000]) {
      expect(await readTasks(new CountingTable(tasks), {}, everything, limit, {})).toEqual(expected.slice(0, limit))
    }
  })

  it('reads up to 64 small buckets at the same time', async () => {
    const table = new CountingTable(Array.from({ length: 300 }, (_, index) => detailsWith({ createdAt: index * width * 50 })))
    await readTasks(table, {}, everything, 1_000, {})
    expect(table.asked.together).toBe(64)
  })

  it('reads the details only of rows with a status of the filter', async () => {
    const failed = detailsWith({ status: 'failed', createdAt: 0 })
    const table = new CountingTable([failed, ...Array.from({ length: 300 }, (_, index) => detailsWith({ createdAt: index }))])
    expect(await readTasks(table, { statuses: ['failed'] }, everything, 10, {})).toEqual([failed])
    expect(table.asked.details).toBe(1)
  })

  it('goes on until it is full when the details do not match the filter', async () => {
    const red = Array.from({ length: 12 }, (_, index) => detailsWith({ labels: ['red'], createdAt: index * 300 }))
    const table = new CountingTable([...red, ...Array.from({ length: 1_000 }, (_, index) => detailsWith({ createdAt: index * 10 }))])
    expect(await readTasks(table, { label: 'red' }, everything, 11, {})).toEqual([...red].sort(compareListed).slice(0, 11))
  })
})

describe('a filter', () => {
  it('lists a task that has every property, and no other task', async () => {
    const details = detailsWith({ labels: ['red'], node: 'worker-1', status: 'failed' })
    const filter: TaskFilter = { statuses: ['failed'], type: 'reindex', node: 'worker-1', label: 'red' }
    const listed = (filter: TaskFilter) => readTasks(new CountingTable([details]), filter, everything, 10, {})
    expect(await listed(filter)).toEqual([details])
    const others: readonly TaskFilter[] = [{ statuses: ['died'] }, { type: 'other' }, { node: 'worker-2' }, { label: 'blue' }]
    for (const other of others) expect(await listed({ ...filter, ...other })).toEqual([])
  })
})

describe('partitions', () => {
  it('are grouped by whole buckets, in groups of growing size', async () => {
    const partitions = Array.from({ length: 400 }, (_, index) => partitionOf(-Math.floor(index / 3), index % 3))
    const groups = await allOf(
      wholeBuckets(
        (async function* () {
          yield* partitions
        })(),
      ),
    )
    expect(groups.flat()).toEqual(partitions)
    expect(groups.slice(0, 5).map(({ length }) => length)).toEqual([6, 9, 18, 33, 66])
    for (const [index, group] of groups.entries()) expect(group[0]?.bucket).not.toBe(groups[index - 1]?.at(-1)?.bucket)
  })
})
