import assert from 'node:assert/strict'
import type { Rule } from '../../framework/rule.ts'
import type { WorkQueue } from '@taskledger/core/ports'
import { staged } from './stage.ts'

export const depthRule: Rule<WorkQueue> = staged({
  id: 'WQ-8.1',
  kind: 'plain',
  title: '`depth` is the number of messages that were handed to no consumer, and 0 for a new queue',
  hint: 'count ready messages without unacknowledged ones; the count may lag behind for a moment only',
  run: async ({ port, peer, waitUntil }, stage) => {
    const other = await peer()
    const isDepth = async (depth: number): Promise<void> => {
      for (const client of [port, other])
        await waitUntil(`the depth of the queue is ${depth}`, async () => (await client.depth(stage.queue)) === depth)
    }
    assert.equal(await port.depth('never-named-before'), 0)
    await isDepth(0)
    await stage.send(7)
    await isDepth(7)
    await stage.send(1, 'another')
    await stage.quiet()
    await isDepth(7)
    const worker = await stage.work(other, { slots: 3 })
    await waitUntil('three are handled', () => worker.running === 3)
    await isDepth(4)
    await Promise.all(worker.runs.map((run) => run.finish()))
    await waitUntil('three more are handled', () => worker.runs.length === 6)
    await isDepth(1)
    worker.consumer.resize(0)
    await Promise.all(worker.runs.map((run) => run.finish()))
    await waitUntil('nothing is handled', () => worker.running === 0)
    await isDepth(1)
  },
})
