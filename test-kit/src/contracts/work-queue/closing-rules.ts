import assert from 'node:assert/strict'
import type { WorkQueue } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import type { Stage, StagedRule, Worker } from './stage.ts'
import { acceptAtOnce, sortedIdsOf, staged } from './stage.ts'

/** The rule for a close of the consumer and for a close of its client. */
const closes =
  (close: (worker: Worker, client: WorkQueue) => Promise<void>): StagedRule['run'] =>
  async ({ port, peer, waitUntil, within, observe }, stage) => {
    const client = await peer()
    const worker = await stage.work(client, { slots: 2 })
    const running = await stage.send(2)
    await waitUntil('two handlers run', () => worker.running === 2)
    const waiting = await stage.send(3)
    // An adapter that prefetches fetches them now.
    await stage.quiet()
    const order: string[] = []
    const closed = Promise.all([close(worker, client), close(worker, client)]).then(() => order.push('closed'))
    // If it fails at once, the await below reports it.
    closed.catch(() => {})
    const [accepted, left] = worker.runs
    await accepted?.finish()
    const later = await stage.send(2)
    await stage.quiet()
    order.push('the last handler ends')
    left?.end()
    await within('two closes end after the handlers', closed)
    observe(order)
    assert.deepEqual(order, ['the last handler ends', 'closed'])
    assert.deepEqual(sortedIdsOf(worker.runs), sortedIdsOf(running), 'a closed consumer gets no new delivery')
    await leavesTheRest(stage, port, waitUntil, [...waiting, ...later, ...running.filter(({ taskId }) => taskId === left?.taskId)])
  }

/** Messages that were not settled, or were fetched and had not begun, go to other consumers. */
const leavesTheRest = async (
  stage: Stage,
  port: WorkQueue,
  waitUntil: Parameters<StagedRule['run']>[0]['waitUntil'],
  rest: Parameters<typeof sortedIdsOf>[0],
): Promise<void> => {
  const other = await stage.work(port, { handle: acceptAtOnce })
  await waitUntil('another consumer gets the other messages', () => other.runs.length >= rest.length)
  await stage.quiet()
  assert.deepEqual(sortedIdsOf(other.runs), sortedIdsOf(rest))
}

export const closingRules: readonly Rule<WorkQueue>[] = [
  staged({
    id: 'WQ-5.1',
    kind: 'plain',
    title: 'a consumer that closes gets no new deliveries, waits until its handlers have settled and ended, and leaves the rest to others',
    hint: 'first tell the engine to send no more, give back messages that have not begun, then wait for the handlers',
    run: closes((worker) => worker.consumer.close()),
  }),
  staged({
    id: 'WQ-5.2',
    kind: 'plain',
    title: 'a client that closes closes all its consumers in the same way',
    hint: 'close every consumer and wait for it before the connection closes, or the last settlements are lost',
    run: closes((_worker, client) => client.close()),
  }),
]
