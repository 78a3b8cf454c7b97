import type { TaskId, WorkQueue } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { same } from '../expectations.ts'
import { acceptAtOnce, idsOf, sortedIdsOf, staged } from './stage.ts'

/** Some more than two pages. */
const beyondPages = (pageRows: number): number => 2 * pageRows + 50

/** Rules about more messages than an adapter reads at a time. */
export const pageRules: readonly Rule<WorkQueue>[] = [
  staged({
    id: 'WQ-8.2',
    kind: 'plain',
    title: '`depth` counts more messages than two pages exactly, and all of them are delivered, each once',
    hint: 'ask the engine for the count, and read on where a page ends',
    run: async ({ port, peer, pageRows, waitUntil, within }, stage) => {
      const count = beyondPages(pageRows)
      const other = await peer()
      const sent: readonly { readonly taskId: TaskId }[] = await stage.sendMany(count)
      for (const [index, client] of [port, other].entries())
        await waitUntil(
          `client ${index + 1} reads a depth of ${count}, after as many sends`,
          async () => (await client.depth(stage.queue)) === count,
        )
      let taken = 0
      const worker = await stage.work(other, {
        slots: 10,
        handle: async (delivery) => {
          taken++
          await acceptAtOnce(delivery)
        },
      })
      await waitUntil(`a consumer gets ${count} messages, which are more than two pages`, () => taken >= count)
      await within('the consumer of many messages closes', worker.consumer.close())
      same(sortedIdsOf(worker.runs), sortedIdsOf(sent), `the tasks of ${count} messages that are delivered, each once`)
      await waitUntil('the depth is 0, after all messages were accepted', async () => (await port.depth(stage.queue)) === 0)
      await stage.nothingLeft()
    },
  }),
  staged({
    id: 'WQ-9.7',
    kind: 'plain',
    title: 'more dead letters than two pages are all listed, the oldest first, and the last of them can be sent again and removed',
    hint: 'read on where a page ends, also when the page was full; keep what an iteration has read in its order',
    run: async ({ port, peer, pageRows, waitUntil, within }, stage) => {
      const count = beyondPages(pageRows)
      const sent = await stage.sendMany(count)
      const other = await peer()
      const rejecting = await stage.work(other, { handle: (delivery) => delivery.reject('rejected by the rule') })
      await waitUntil(`all ${count} messages are rejected`, () => rejecting.runs.length >= count && rejecting.running === 0)
      await within('the consumer that rejects closes', rejecting.consumer.close())
      const listed = async (client: WorkQueue): Promise<readonly unknown[]> =>
        (await stage.deadLetters(client)).map(({ message }) => message?.taskId)
      await waitUntil(`${count} dead letters are listed`, async () => (await listed(port)).length === count)
      // Messages that are sent at the same time have no order. They were rejected one after the other.
      const died = idsOf(rejecting.runs)
      same([...died].sort(), sortedIdsOf(sent), `the tasks of ${count} messages that were rejected, each once`)
      same(await listed(other), died, `the tasks of ${count} dead letters, the oldest first`)
      const [removed, resent] = died.slice(-2)
      for await (const letter of port.deadLetters(stage.queue)) {
        if (letter.message?.taskId === removed) await letter.remove()
        if (letter.message?.taskId === resent) await letter.resend()
      }
      const worker = await stage.work(port, { handle: acceptAtOnce })
      await waitUntil('the message of the last dead letter is delivered, after it was sent again', () => worker.runs.length > 0)
      same(idsOf(worker.runs), [resent], 'the tasks that are delivered after the last dead letter was sent again')
      await waitUntil(`the other ${count - 2} letters are left`, async () => (await listed(port)).length === count - 2)
      same(await listed(port), died.slice(0, -2), 'the tasks of the letters that are left, the oldest first')
    },
  }),
]
