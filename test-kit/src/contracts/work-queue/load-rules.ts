import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { WorkQueue } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
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
        if (ended < 3) await stage.quiet()
        assert.equal(worker.running, running)
        await worker.runs[ended]?.finish()
      }
      await waitUntil('every handler has ended', () => worker.running === 0)
      assert.equal(worker.maxRunning, 3)
      assert.deepEqual(sortedIdsOf(worker.runs), sortedIdsOf(sent))
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
      assert.deepEqual(
        workers.map(({ running }) => running),
        [2, 3, 3],
      )
    },
  }),
  staged({
    id: 'WQ-2.3',
    kind: 'plain',
    title: 'serial: one handler of the queue runs at a time, over all clients, whatever their slots',
    hint: 'the engine has to decide which client may run: a lock in each client does not stop the others',
    run: async ({ port, peer, waitUntil, observe }, stage) => {
      const clients = [port, await peer(), await peer()]
      let running = 0
      let maxRunning = 0
      const handled: string[] = []
      const before = await stage.send(6)
      const workers = await Promise.all(
        clients.map((client) =>
          stage.work(client, {
            mode: 'serial',
            slots: 4,
            handle: async (delivery) => {
              maxRunning = Math.max(maxRunning, ++running)
              handled.push(delivery.message.taskId)
              // The first handlers leave time for the others. A consumer is not free before its handler ends, whether it has accepted or not.
              const acceptsFirst = handled.length % 2 === 0
              if (acceptsFirst) await delivery.accept()
              if (handled.length < 4) await stage.quiet()
              else await nextTurn()
              if (!acceptsFirst) await delivery.accept()
              running--
            },
          }),
        ),
      )
      const after = await stage.send(6)
      await waitUntil('every message is handled', () => new Set(handled).size === 12 && runningOn(workers) === 0)
      observe(handled)
      assert.equal(maxRunning, 1, 'the highest number of handlers at the same time')
      assert.deepEqual([...handled].sort(), sortedIdsOf([...before, ...after]))
    },
  }),
  staged({
    id: 'WQ-2.4',
    kind: 'fault',
    title: 'serial: the next client takes over when the holder dies',
    hint: 'tie the right to run to the connection or to a lease; deliver first what the holder had not settled',
    notShown: ({ kill }) => (kill === undefined ? 'the harness has no hook to kill a client' : undefined),
    run: async ({ port, peer, kill, waitUntil }, stage) => {
      const holder = await peer()
      const dying = await stage.work(holder, { mode: 'serial' })
      const sent = await stage.send(2)
      await waitUntil('the holder has a message', () => dying.runs.length === 1)
      const heir = await stage.work(port, { mode: 'serial', handle: acceptAtOnce })
      await stage.quiet()
      assert.deepEqual(idsOf(heir.runs), [], 'no other client runs while the holder lives')
      await kill?.(holder)
      await stage.comesBack('both messages reach the next client', () => new Set(idsOf(heir.runs)).size === 2)
      assert.deepEqual(sortedIdsOf(heir.runs), sortedIdsOf(sent))
      assert.equal(heir.runs.find(({ taskId }) => taskId === dying.runs[0]?.taskId)?.delivery.redelivered, true)
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
        await waitUntil('the long run has begun', () => busy.runs.length === 1)
        if (accepted) await busy.runs[0]?.accept()
        const waiting = await stage.send(5, queue)
        await stage.quiet()
        const free = await stage.work(port, { queue, handle: acceptAtOnce })
        await waitUntil(`the free consumer gets all messages behind an ${queue} message`, () => free.runs.length === 5)
        assert.deepEqual(sortedIdsOf(free.runs), sortedIdsOf(waiting))
        assert.deepEqual(idsOf(busy.runs), [long?.taskId])
        await busy.runs[0]?.finish()
      }
    },
  }),
  staged({
    id: 'WQ-2.6',
    kind: 'plain',
    title: 'serial: the next client takes over when the holder closes',
    hint: 'give up the right to run when the last handler has ended, not before',
    run: async ({ port, peer, waitUntil, within }, stage) => {
      const holder = await stage.work(await peer(), { mode: 'serial' })
      const sent = await stage.send(3)
      await waitUntil('the holder has a message', () => holder.runs.length === 1)
      const heir = await stage.work(port, { mode: 'serial', handle: acceptAtOnce })
      const closed = holder.consumer.close()
      await stage.quiet()
      assert.deepEqual(idsOf(heir.runs), [], 'no other client runs before the handler of the holder has ended')
      await holder.runs[0]?.finish()
      await within('the holder closes', closed)
      await waitUntil('the next client gets the others', () => heir.runs.length >= 2)
      await stage.quiet()
      assert.deepEqual(sortedIdsOf([...holder.runs, ...heir.runs]), sortedIdsOf(sent))
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
      await stage.quiet()
      const other = await stage.work(await peer(), { handle: acceptAtOnce })
      await waitUntil('another consumer gets the waiting messages', () => other.runs.length === 5)
      assert.deepEqual(sortedIdsOf(other.runs), sortedIdsOf(second))
      assert.deepEqual([sortedIdsOf(shrunk.runs), idsOf(idle.runs)], [sortedIdsOf(first), []])
      await within('the other consumer closes', other.consumer.close())
      const third = await stage.send(2)
      await stage.quiet()
      shrunk.consumer.resize(1)
      idle.consumer.resize(1)
      await waitUntil('both take again', () => shrunk.running === 1 && idle.running === 1)
      assert.deepEqual(sortedIdsOf([...shrunk.runs.slice(2), ...idle.runs]), sortedIdsOf(third))
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
      await waitUntil('three handlers run', () => worker.running === 3)
      worker.consumer.resize(1)
      for (const [index, run] of worker.runs.slice(0, 2).entries()) {
        await run.finish()
        await stage.quiet()
        assert.equal(worker.runs.length, 3, `a handler began after ${index + 1} of 3 had ended, with 1 slot`)
      }
      await worker.runs[2]?.finish()
      await waitUntil('the next handler runs', () => worker.runs.length === 4)
      await stage.quiet()
      assert.equal(worker.running, 1)
    },
  }),
]
