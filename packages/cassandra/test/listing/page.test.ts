import type { TaskDetails } from '@taskledger/core/ports'
import { compareListed } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import type { Partition } from '../../src/listing/tables/buckets.ts'
import { bucketOf } from '../../src/listing/tables/buckets.ts'
import { readTasks } from '../../src/listing/page.ts'
import type { RowTable, Stretch } from '../../src/listing/tables/rows.ts'
import { everything } from '../../src/listing/tables/rows.ts'
import { wholeBuckets } from '../../src/listing/walk.ts'
import { allOf, detailsWith } from './samples.ts'

const width = 1_000

const isIn = ({ after, since }: Stretch, task: TaskDetails): boolean => compareListed(after, task) < 0 && task.createdAt >= since

/** A table of one shard that counts what is asked of it. */
class CountingTable implements RowTable<Partition> {
  readonly asked = { rows: 0, details: 0, together: 0 }
  readonly #tasks: readonly TaskDetails[]
  #underWay = 0

  constructor(tasks: readonly TaskDetails[]) {
    this.#tasks = [...tasks].sort(compareListed)
  }

  async *partitions(stretch: Stretch) {
    const buckets = new Set(this.#tasks.filter((task) => isIn(stretch, task)).map(({ createdAt }) => bucketOf(createdAt, width)))
    for (const bucket of buckets) yield { bucket, shard: 0 }
  }

  async rows(partition: Partition, stretch: Stretch, limit: number) {
    this.asked.rows++
    this.asked.together = Math.max(this.asked.together, ++this.#underWay)
    await Promise.resolve()
    this.#underWay--
    const its = this.#tasks.filter((task) => isIn(stretch, task) && bucketOf(task.createdAt, width) === partition.bucket)
    const items = its.slice(0, limit).map(({ createdAt, taskId, status }) => ({ createdAt, taskId, status, partition }))
    return { items, more: its.length >= limit }
  }

  async details(_partition: Partition, rows: readonly { taskId: string }[]) {
    this.asked.details++
    return this.#tasks.filter(({ taskId }) => rows.some((row) => row.taskId === taskId))
  }
}

describe('a page', () => {
  it('is read from the newest bucket where that is full enough', async () => {
    const tasks = Array.from({ length: 500 }, (_, index) => detailsWith({ createdAt: index * 100 }))
    const table = new CountingTable(tasks)
    const page = await readTasks(table, {}, everything, 5, {})
    expect(page).toEqual([...tasks].sort(compareListed).slice(0, 5))
    expect(table.asked).toMatchObject({ rows: 4, details: 1 })
  })

  it('holds no more and no less than was asked for, over many thin buckets', async () => {
    const tasks = Array.from({ length: 300 }, (_, index) => detailsWith({ createdAt: index * width * 50 }))
    const expected = [...tasks].sort(compareListed)
    for (const limit of [1, 7, 299, 300, 301, 1_000]) {
      expect(await readTasks(new CountingTable(tasks), {}, everything, limit, {})).toEqual(expected.slice(0, limit))
    }
  })

  it('reads thin buckets side by side', async () => {
    const table = new CountingTable(Array.from({ length: 300 }, (_, index) => detailsWith({ createdAt: index * width * 50 })))
    await readTasks(table, {}, everything, 1_000, {})
    expect(table.asked.together).toBe(64)
  })

  it('looks closer only at rows whose status is asked for', async () => {
    const failed = detailsWith({ status: 'failed', createdAt: 0 })
    const table = new CountingTable([failed, ...Array.from({ length: 300 }, (_, index) => detailsWith({ createdAt: index }))])
    expect(await readTasks(table, { statuses: ['failed'] }, everything, 10, {})).toEqual([failed])
    expect(table.asked.details).toBe(1)
  })

  it('goes on until it is full where details turn out to be others', async () => {
    const red = Array.from({ length: 12 }, (_, index) => detailsWith({ labels: ['red'], createdAt: index * 300 }))
    const table = new CountingTable([...red, ...Array.from({ length: 1_000 }, (_, index) => detailsWith({ createdAt: index * 10 }))])
    expect(await readTasks(table, { label: 'red' }, everything, 11, {})).toEqual([...red].sort(compareListed).slice(0, 11))
  })
})

describe('partitions', () => {
  it('are grouped by whole buckets, more and more at a time', async () => {
    const partitions = Array.from({ length: 400 }, (_, index) => ({ bucket: -Math.floor(index / 3), shard: index % 3 }))
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
