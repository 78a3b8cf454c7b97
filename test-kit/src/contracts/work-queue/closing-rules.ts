import type { Delivery, WorkQueue } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { same } from '../expectations.ts'
import { outcomeOf } from '../outcome.ts'
import type { Stage, StagedRule, Worker } from './stage.ts'
import { acceptAtOnce, historyOf, idsOf, sortedIdsOf, staged } from './stage.ts'

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
    await stage.quiet('while both slots are taken')
    const order: string[] = []
    const closed = Promise.all([close(worker, client), close(worker, client)]).then(() => order.push('closed'))
    // If it fails at once, the await below reports it.
    closed.catch(() => {})
    const [accepted, left] = worker.runs
    await accepted?.finish()
    const later = await stage.send(2)
    await stage.quiet('while the consumer closes and one handler still runs')
    order.push('the last handler ends')
    left?.end()
    await within('two closes end after the last handler', closed)
    observe(order)
    same(order, ['the last handler ends', 'closed'], 'what happened, in order')
    same(sortedIdsOf(worker.runs), sortedIdsOf(running), 'the tasks of a consumer that closes: it gets no new one')
    const unsettled = running.filter(({ taskId }) => taskId === left?.taskId)
    const other = await leavesTheRest(stage, port, waitUntil, [...waiting, ...later, ...unsettled])
    const again = other.runs.find(({ taskId }) => taskId === left?.taskId)
    same(
      again && historyOf(again.delivery),
      { redelivered: true, releases: 0 },
      'what the delivery says of a message that a closing consumer had not settled',
    )
  }

/** Messages that were not settled, or were fetched and had not begun, go to other consumers. */
const leavesTheRest = async (
  stage: Stage,
  port: WorkQueue,
  waitUntil: Parameters<StagedRule['run']>[0]['waitUntil'],
  rest: Parameters<typeof sortedIdsOf>[0],
): Promise<Worker> => {
  const other = await stage.work(port, { handle: acceptAtOnce })
  await waitUntil(`another consumer gets the other ${rest.length} messages after a close`, () => other.runs.length >= rest.length)
  await stage.quiet('after another consumer got the other messages')
  same(sortedIdsOf(other.runs), sortedIdsOf(rest), 'the tasks that another consumer gets after a close')
  return other
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
  staged({
    id: 'WQ-5.3',
    kind: 'plain',
    title: 'the signal of `consume` ends the call and not the consumer, and a call that was ended leaves no consumer',
    hint: 'use the signal only until `consume` has resolved; when it has rejected, give back what was fetched for it and begin no handler',
    run: async ({ port, peer, waitUntil, within }, stage) => {
      const client = await peer()
      const reason = new Error('aborted by the rule')
      const begun: string[] = []
      for (const mode of ['parallel', 'serial'] as const) {
        const queue = `of-${mode}`
        const lasting = new AbortController()
        const worker = await stage.work(port, { queue, mode, handle: acceptAtOnce, signal: lasting.signal })
        lasting.abort(reason)
        const [first] = await stage.send(1, queue)
        await waitUntil(`a ${mode} consumer gets a message after the signal of its consume was aborted`, () => worker.runs.length === 1)
        await within(`the ${mode} consumer closes`, worker.consumer.close())
        // Aborted in the same turn. An adapter that is quicker than the signal may resolve: then there is a consumer.
        const hasty = new AbortController()
        const handler = async ({ message, accept }: Delivery): Promise<void> => {
          begun.push(message.taskId)
          await accept()
        }
        const consuming = client.consume(queue, handler, { slots: 1, mode, signal: hasty.signal })
        hasty.abort(reason)
        const failure = await within(`a ${mode} consume whose signal is aborted ends`, outcomeOf(consuming))
        if (failure === undefined)
          await within('the consumer of a consume that was quicker than its signal closes', (await consuming).close())
        else same(failure, reason, `the failure of a ${mode} consume whose signal is aborted`)
        const rest = await stage.send(3, queue)
        await stage.quiet('after a consume was aborted')
        same(begun, [], `the tasks that reach the handler of a ${mode} consume that was aborted`)
        const other = await stage.work(port, { queue, mode, handle: acceptAtOnce })
        await waitUntil(`another ${mode} consumer gets all messages, after a consume was aborted`, () => other.runs.length >= rest.length)
        same(sortedIdsOf(other.runs), sortedIdsOf(rest), `the tasks that another ${mode} consumer gets after a consume was aborted`)
        same(idsOf(worker.runs), [first?.taskId], 'the tasks of the consumer that was closed')
        await within(`the other ${mode} consumer closes`, other.consumer.close())
      }
    },
  }),
]
