import { evolveDetails } from '@taskledger/core/ports'
import type { TaskCreated, TaskId } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import type { ClusterNode, Interceptor } from '@taskledger/test-kit/faults'
import { onCalls } from '@taskledger/test-kit/faults'
import { VirtualCluster } from '../virtual-cluster.ts'

const minutes = 30

interface Cost {
  /** Calls that leave the process, by name, in a minute. */
  readonly calls: Readonly<Record<string, number>>
  readonly total: number
  /** Rows read in a minute. */
  readonly rows: number
}

const idTail = (index: number): string => index.toString(16).padStart(12, '0')

/** Adds tasks as if they had been submitted, 32 to a cohort. */
const putWaiting = async (cluster: VirtualCluster, count: number, dueAt?: number): Promise<void> => {
  const { events, listing } = cluster.storage
  const { queue } = cluster.memory.messaging()
  for (let index = 0; index < count; index++) {
    const taskId = `018cc251-f400-7000-8000-${idTail(Math.floor(index / 32) * 65_536 + (index % 32))}` as TaskId
    const created: TaskCreated = {
      type: 'TaskCreated',
      taskId,
      version: 1,
      eventId: `e${index}`,
      at: cluster.clock.now(),
      node: 'a',
      task: { type: 'held', version: 1, payload: null },
      queue: 'default',
      retry: { maxAttempts: 1, maxCrashes: 3, backoff: { initialMs: 1_000, factor: 2, maxMs: 60_000, jitter: 0 } },
      labels: [],
      ...(dueAt === undefined ? {} : { notBefore: dueAt }),
    }
    const details = evolveDetails(undefined, created)
    if (details === undefined) throw new Error('there are no details')
    await events.append(taskId, 0, [created])
    await listing.save(details)
    if (dueAt === undefined) await queue.send('default', { taskId, version: 1, sentAt: cluster.clock.now() })
  }
}

/** How many rows of unfinished tasks a node has read. */
interface Reading {
  rows: number
}

const countingRows = (reading: Reading): Interceptor => {
  async function* counted<Row>(rows: AsyncIterable<Row>): AsyncGenerator<Row> {
    for await (const row of rows) {
      reading.rows++
      yield row
    }
  }
  return onCalls({ 'listing.unfinished': (next, shard, options) => counted(next(shard, options)) })
}

const costOf = async (cluster: VirtualCluster, node: ClusterNode, reading: Reading): Promise<Cost> => {
  await cluster.advance(120_000)
  const rowsBefore = reading.rows
  const before = node.calls.length
  await cluster.advance(minutes * 60_000)
  const calls: Record<string, number> = {}
  for (const { name } of node.calls.slice(before)) if (!name.startsWith('inbound.')) calls[name] = (calls[name] ?? 0) + 1 / minutes
  return { calls, total: Object.values(calls).reduce((sum, each) => sum + each, 0), rows: (reading.rows - rowsBefore) / minutes }
}

const costWith = async (count: number, prepare: (cluster: VirtualCluster, count: number) => Promise<void>): Promise<Cost> => {
  await using cluster = new VirtualCluster()
  const reading = { rows: 0 }
  const node = await cluster.node({ worker: { slots: 1 }, random: () => 0.5, intercept: countingRows(reading) })
  // The only slot is taken, so the other tasks wait.
  await cluster.start(node)
  await prepare(cluster, count)
  const cost = await costOf(cluster, node, reading)
  if (process.env['SHOW_COST'] !== undefined) console.log(count, cost)
  return cost
}

const counts = process.env['SHOW_COST'] === undefined ? [1_000, 10_000] : [1_000, 100_000]

describe('an idle node', { timeout: 120_000 }, () => {
  it('makes the same number of calls with a backlog of any length, and reads few of its rows', async () => {
    const nothing = await costWith(0, putWaiting)
    expect(nothing.total).toBeLessThan(120)
    for (const count of counts) {
      const cost = await costWith(count, putWaiting)
      expect(cost.total).toBeCloseTo(nothing.total, 0)
      // A full sweep reads every row once in five minutes.
      expect(cost.rows).toBeLessThan(count / 4)
    }
  })

  it('makes the same number of calls with tasks that are due tomorrow', async () => {
    const nothing = await costWith(0, putWaiting)
    for (const count of counts) {
      const cost = await costWith(count, (cluster) => putWaiting(cluster, count, cluster.clock.now() + 86_400_000))
      expect(cost.total).toBeCloseTo(nothing.total, 0)
      expect(cost.rows).toBeLessThan(count / 4)
    }
  })
})
