import type { WorkQueue } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { holds, same } from '../expectations.ts'
import type { Worker } from './stage.ts'
import { acceptAtOnce, idsOf, sortedIdsOf, staged } from './stage.ts'

const runningOn = (workers: readonly Worker[]): number => workers.reduce((sum, { running }) => sum + running, 0)

export const loadRules: readonly Rule<WorkQueue>[] = [
  staged({
    id: 'WQ-2.1',
    kind: 'plain',
    title: 'as many handlers run as there are slots, never more, whether their deliveries are accepted or not',
    hint: 'a slot is taken until its handler ends: accepting the delivery does not free it',
    run: async ({ port, waitUntil }, stage) => {
      const sent = await stage.send(20)
      const worker = await stage.work(port, { slots: 3 })
      for (let ended = 0; ended < sent.length; ended++) {
        const running = Math.min(3, sent.length - ended)
        await waitUntil(`${running} handlers run`, () => worker.running === running && worker.runs.length === ended + running)
        if (ended % 2 === 0) await worker.runs[ended + running - 1]?.accept()
        if (ended < 3) await stage.quiet(`while ${running} handlers run`)
        same(worker.running, running, `the handlers that run in 3 slots, after ${ended} of ${sent.length} have ended`)
        await worker.runs[ended]?.finish()
      }
      await waitUntil('every handler has ended', () => worker.running === 0)
      same(worker.maxRunning, 3, 'the most handlers that ran at the same time, in 3 slots')
      same(sortedIdsOf(worker.runs), sortedIdsOf(sent), 'the tasks that were delivered, each once')
    },
  }),
  staged({
    id: 'WQ-2.2',
    kind: 'plain',
    title: 'consumers share the load: handlers run in all slots of all consumers',
    hint: 'a consumer takes no more messages from the engine than it has free slots',
    run: async ({ port, peer, waitUntil }, stage) => {
      const other = await peer()
      await stage.send(10)
      const workers = [await stage.work(port, { slots: 2 }), await stage.work(other, { slots: 3 }), await stage.work(other, { slots: 3 })]
      await waitUntil('all 8 slots are taken', () => runningOn(workers) === 8)
      same(
        workers.map(({ running }) => running),
        [2, 3, 3],
        'the handlers that run on consumers of 2, 3 and 3 slots',
      )
    },
  }),
  staged({
    id: 'WQ-2.5',
    kind: 'plain',
    title: 'a long run does not hold back messages that other consumers could take',
    hint: 'keep no message with a consumer whose slots are taken; fetch the next message when a run ends, not when it accepts',
    run: async ({ port, peer, waitUntil }, stage) => {
      for (const accepted of [false, true]) {
        const queue = accepted ? 'accepted' : 'unaccepted'
        const busy = await stage.work(await peer(), { queue })
        const [long] = await stage.send(1, queue)
        await waitUntil(`the long run begins, of an ${queue} message`, () => busy.runs.length === 1)
        if (accepted) await busy.runs[0]?.accept()
        const waiting = await stage.send(5, queue)
        await stage.quiet('while a long run takes the only slot')
        const free = await stage.work(port, { queue, handle: acceptAtOnce })
        await waitUntil(`the free consumer gets all messages behind an ${queue} message`, () => free.runs.length === 5)
        same(sortedIdsOf(free.runs), sortedIdsOf(waiting), 'the tasks that the free consumer gets')
        same(idsOf(busy.runs), [long?.taskId], 'the tasks that the busy consumer gets')
        await busy.runs[0]?.finish()
      }
    },
  }),
  staged({
    id: 'WQ-2.7',
    kind: 'plain',
    title: 'a consumer with 0 slots, from the start or by resize(0), takes no more; its handlers go on, and others get what waits',
    hint: 'give back messages that were fetched and have not begun',
    run: async ({ port, peer, waitUntil, within }, stage) => {
      const shrunk = await stage.work(port, { slots: 2 })
      const idle = await stage.work(port, { slots: 0 })
      const first = await stage.send(2)
      await waitUntil('both slots are taken', () => shrunk.running === 2)
      shrunk.consumer.resize(0)
      await shrunk.runs[0]?.finish()
      const second = await stage.send(5)
      await shrunk.runs[1]?.finish()
      await stage.quiet('after a resize to 0 slots')
      const other = await stage.work(await peer(), { handle: acceptAtOnce })
      await waitUntil('another consumer gets the waiting messages', () => other.runs.length === 5)
      same(sortedIdsOf(other.runs), sortedIdsOf(second), 'the tasks that another consumer gets')
      same(sortedIdsOf(shrunk.runs), sortedIdsOf(first), 'the tasks of the consumer that was resized to 0 slots')
      same(idsOf(idle.runs), [], 'the tasks of the consumer that began with 0 slots')
      await within('the consumer with a slot closes', other.consumer.close())
      const third = await stage.send(2)
      await stage.quiet('while both consumers have 0 slots')
      shrunk.consumer.resize(1)
      idle.consumer.resize(1)
      await waitUntil('both take again, after a resize to 1 slot', () => shrunk.running === 1 && idle.running === 1)
      same(sortedIdsOf([...shrunk.runs.slice(2), ...idle.runs]), sortedIdsOf(third), 'the tasks that both get, after a resize to 1 slot')
    },
  }),
  staged({
    id: 'WQ-2.8',
    kind: 'plain',
    title: 'a resize takes effect at once: with more slots more handlers run, with fewer no handler begins before enough have ended',
    hint: 'look at the queue again when slots are added; never stop a handler that runs',
    run: async ({ port, waitUntil }, stage) => {
      const worker = await stage.work(port, { slots: 1 })
      await stage.send(8)
      await waitUntil('one handler runs', () => worker.running === 1)
      worker.consumer.resize(3)
      await waitUntil('three handlers run, after a resize to 3 slots', () => worker.running === 3)
      worker.consumer.resize(1)
      for (const [index, run] of worker.runs.slice(0, 2).entries()) {
        await run.finish()
        await stage.quiet(`after ${index + 1} of 3 handlers have ended, with 1 slot`)
        holds(worker.runs.length === 3, `a handler began after ${index + 1} of 3 had ended, with 1 slot`)
      }
      await worker.runs[2]?.finish()
      await waitUntil('the next handler runs, after all 3 have ended', () => worker.runs.length === 4)
      await stage.quiet('while the next handler runs')
      same(worker.running, 1, 'the handlers that run in 1 slot')
    },
  }),
]
