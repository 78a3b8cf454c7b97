import type { Rule } from '../../framework/rule.ts'
import type { WorkQueue } from '@taskledger/core/ports'
import { same } from '../expectations.ts'
import { staged } from './stage.ts'

export const depthRule: Rule<WorkQueue> = staged({
  id: 'WQ-8.1',
  kind: 'plain',
  title: '`depth` is the number of messages that were handed to no consumer, and 0 for a new queue',
  hint: 'count ready messages without unacknowledged ones; the count may lag behind for a moment only',
  run: async ({ port, peer, waitUntil }, stage) => {
    const other = await peer()
    const isDepth = async (depth: number, step: string): Promise<void> => {
      for (const [index, client] of [port, other].entries())
        await waitUntil(`client ${index + 1} reads a depth of ${depth}, ${step}`, async () => (await client.depth(stage.queue)) === depth)
    }
    same(await port.depth('never-named-before'), 0, 'the depth of a queue that was never named')
    await isDepth(0, 'before the first send')
    await stage.send(7)
    await isDepth(7, 'after 7 sends')
    await stage.send(1, 'another')
    await stage.quiet('after a send to another queue')
    await isDepth(7, 'after a send to another queue')
    const worker = await stage.work(other, { slots: 3 })
    await waitUntil('three handlers run', () => worker.running === 3)
    await isDepth(4, 'while 3 of 7 are handled')
    await Promise.all(worker.runs.map((run) => run.finish()))
    await waitUntil('three more handlers run, after the first three have ended', () => worker.runs.length === 6)
    await isDepth(1, 'while 3 more are handled')
    worker.consumer.resize(0)
    await Promise.all(worker.runs.map((run) => run.finish()))
    await waitUntil('no handler runs, after a resize to 0 slots', () => worker.running === 0)
    await isDepth(1, 'when 6 of 7 were accepted and the consumer has 0 slots')
  },
})
