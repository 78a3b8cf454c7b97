import type { WorkMessage, WorkQueue } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { same } from '../expectations.ts'
import { acceptAtOnce, historyOf, idsOf, sortedIdsOf, staged } from './stage.ts'

export const deliveryRules: readonly Rule<WorkQueue>[] = [
  staged({
    id: 'WQ-1.0',
    kind: 'plain',
    title: 'queues do not mix',
    hint: 'take a name literally: it has no pattern and no separator, and upper case differs from lower case',
    run: async ({ port, peer, waitUntil }, stage) => {
      const clients = [port, await peer()] as const
      const names = [stage.queue, 'mail', 'mail.urgent', 'mail.*', 'Mail', 'mail-urgent', 'möbel']
      const sent = new Map<string, WorkMessage[]>(names.map((name) => [name, []]))
      for (let round = 0; round < 5; round++) {
        for (const [name, messages] of sent) messages.push(...(await stage.send(1, name)))
      }
      // One consumer after the other: each would get every message that went to the wrong queue.
      for (const [index, queue] of names.entries()) {
        const worker = await stage.work(clients[index % 2 === 0 ? 0 : 1], { queue, slots: 10, handle: acceptAtOnce })
        await waitUntil(`all 5 messages of the queue "${queue}" are delivered`, () => worker.runs.length >= 5)
        await stage.quiet(`after the messages of the queue "${queue}"`)
        same(sortedIdsOf(worker.runs), sortedIdsOf(sent.get(queue) ?? []), `the tasks that a consumer of the queue "${queue}" gets`)
      }
    },
  }),
  staged({
    id: 'WQ-1.1',
    kind: 'plain',
    title: 'each message reaches one consumer, and an accepted message is not delivered again',
    hint: 'consumers compete for messages: they do not each get a copy',
    run: async ({ port, peer, waitUntil, within, observe }, stage) => {
      const other = await peer()
      const workers = await Promise.all(
        [port, other, other].map((client, index) => stage.work(client, { slots: 1 + index, handle: acceptAtOnce })),
      )
      const sent = await stage.send(60)
      const received = (): readonly string[] => workers.flatMap(({ runs }) => idsOf(runs))
      await waitUntil('all 60 messages are delivered', () => new Set(received()).size === sent.length)
      await stage.quiet('after all messages were accepted')
      observe(received())
      same(sortedIdsOf(workers.flatMap(({ runs }) => runs)), sortedIdsOf(sent), 'the tasks that three consumers get, each once')
      for (const { runs } of workers)
        for (const { delivery } of runs)
          same(historyOf(delivery), { redelivered: false, releases: 0 }, 'what the first delivery of a message says')
      await within('the three consumers close', Promise.all(workers.map(({ consumer }) => consumer.close())))
      await stage.nothingLeft()
    },
  }),
  staged({
    id: 'WQ-1.2',
    kind: 'plain',
    title: 'one consumer gets messages first in, first out',
    hint: 'start handlers in the order in which the messages were sent, for messages that waited and for messages that arrive later',
    run: async ({ port, waitUntil, observe }, stage) => {
      for (const slots of [1, 3]) {
        const queue = `of-${slots}`
        const waiting = await stage.send(30, queue)
        const worker = await stage.work(port, { queue, slots, handle: acceptAtOnce })
        const coming = await stage.send(30, queue)
        await waitUntil(`all 60 messages are delivered to ${slots} slots`, () => worker.runs.length === 60)
        observe(idsOf(worker.runs))
        same(idsOf(worker.runs), idsOf([...waiting, ...coming]), `the tasks in the order in which the handlers of ${slots} slots began`)
      }
    },
  }),
  staged({
    id: 'WQ-1.3',
    kind: 'fault',
    title: 'a sent message survives a restart of the engine',
    hint: 'resolve a send only after the engine has confirmed that it stores the message; mark messages and queues as durable',
    notShown: ({ port, faults }) => {
      if (port.capabilities.durability === 'none') return "the capability durability is 'none'"
      return faults?.restart === undefined ? 'the harness has no hook to restart the engine' : undefined
    },
    run: async ({ port, faults, waitUntil }, stage) => {
      const sent = await stage.send(20)
      await faults.restart()
      let worker: Awaited<ReturnType<typeof stage.work>> | undefined
      await waitUntil('a consumer can be opened after the restart', async () => {
        worker = await stage.work(port, { handle: acceptAtOnce })
        return true
      })
      await waitUntil(
        'all 20 messages are delivered after the restart',
        () => worker !== undefined && new Set(idsOf(worker.runs)).size === sent.length,
      )
      same([...new Set(sortedIdsOf(worker?.runs ?? []))], sortedIdsOf(sent), 'the tasks that are delivered after the restart')
    },
  }),
]
