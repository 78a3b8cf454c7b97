import type { Delivery, WorkQueue } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { holds, same } from '../expectations.ts'
import { withoutHook } from './not-shown.ts'
import { acceptAtOnce, historyOf, idsOf, sortedIdsOf, staged } from './stage.ts'

/** In milliseconds: longer than a message takes on its way. */
const releaseDelayMs = 300

export const settlingRules: readonly Rule<WorkQueue>[] = [
  staged({
    id: 'WQ-3.1',
    kind: 'fault',
    title: 'messages that a dead consumer had not settled are delivered again within the declared time, marked as redelivered',
    hint: 'keep a message until it is settled: a message that is acknowledged on delivery is lost with the consumer',
    notShown: withoutHook('kill'),
    run: async ({ port, peer, kill, waitUntil }, stage) => {
      const doomed = await peer()
      const dying = await stage.work(doomed, { slots: 3 })
      const sent = await stage.send(5)
      await waitUntil('three handlers run', () => dying.running >= 3)
      await kill?.(doomed)
      const heir = await stage.work(port, { slots: 2, handle: acceptAtOnce })
      await stage.comesBack(
        'all five messages reach another consumer, after the first one died',
        () => new Set(idsOf(heir.runs)).size === 5,
      )
      same([...new Set(sortedIdsOf(heir.runs))], sortedIdsOf(sent), 'the tasks that another consumer gets, after the first one died')
      for (const { taskId } of dying.runs) {
        const again = heir.runs.find((run) => run.taskId === taskId)
        same(
          again && historyOf(again.delivery),
          { redelivered: true, releases: 0 },
          'what the delivery says of a message that a dead consumer had',
        )
      }
    },
  }),
  staged({
    id: 'WQ-3.2',
    kind: 'fault',
    title: 'an accepted message is not delivered again, even if its consumer dies afterwards',
    hint: 'acknowledge an accepted message no later than when its handler has ended',
    notShown: withoutHook('kill'),
    run: async ({ port, peer, kill, waitUntil }, stage) => {
      const doomed = await peer()
      const dying = await stage.work(doomed, { slots: 3 })
      await stage.send(3)
      await waitUntil('three handlers run', () => dying.running === 3)
      const [first, second, unsettled] = dying.runs
      await first?.finish()
      await second?.finish()
      // Many engines do not confirm an acknowledgement: it has to be sent before the client dies.
      await stage.quiet('after two of three messages were accepted')
      await kill?.(doomed)
      const heir = await stage.work(port, { handle: acceptAtOnce })
      await stage.comesBack('the message that was not settled comes back, after its consumer died', () => heir.runs.length > 0)
      await stage.quiet('after the message that was not settled came back')
      same(
        [...new Set(idsOf(heir.runs))],
        [unsettled?.taskId],
        'the tasks that come back after a consumer died that had accepted two of three',
      )
    },
  }),
  staged({
    id: 'WQ-3.3',
    kind: 'plain',
    title: 'a released message is delivered again, to any free consumer, and its releases are counted',
    hint: 'send the count along with the message: the next consumer is another process',
    run: async ({ port, peer, waitUntil, within }, stage) => {
      const [message] = await stage.send(1)
      const clients = [port, await peer()] as const
      for (let releases = 0; releases <= 3; releases++) {
        const worker = await stage.work(clients[releases % 2 === 0 ? 0 : 1])
        await waitUntil(`the message comes again after ${releases} releases`, () => worker.running === 1)
        const [run] = worker.runs
        same(run?.delivery.message, message, `the message after ${releases} releases`)
        same(run && historyOf(run.delivery), { redelivered: releases > 0, releases }, `what the delivery says after ${releases} releases`)
        // The consumer closes first, or it would get the message again itself.
        const closed = worker.consumer.close()
        await run?.delivery.release({ isCounted: releases < 3 })
        run?.end()
        await within('the consumer that releases closes', closed)
        same(worker.runs.length, 1, 'the deliveries to a consumer that closes and releases')
      }
      const last = await stage.work(port, { handle: acceptAtOnce })
      await waitUntil('the message comes again after the last release', () => last.runs.length === 1)
      const [run] = last.runs
      same(
        run && historyOf(run.delivery),
        { redelivered: true, releases: 3 },
        'what the delivery says after a release with isCounted: false',
      )
      await within('the last consumer closes', last.consumer.close())
      await stage.nothingLeft()
    },
  }),
  staged({
    id: 'WQ-3.4',
    kind: 'plain',
    title: 'a rejected message is not delivered again, and delays no other message',
    hint: 'remove a rejected message from the queue; tell an engine that requeues rejected messages not to',
    run: async ({ port, waitUntil, within }, stage) => {
      const sent = await stage.send(6)
      const worker = await stage.work(port, {
        handle: (delivery) => (delivery.message.taskId === sent[2]?.taskId ? delivery.accept() : delivery.reject('nobody can use it')),
      })
      await waitUntil('all 6 messages are delivered, though 5 are rejected', () => worker.runs.length === 6)
      await stage.quiet('after 5 of 6 messages were rejected')
      same(sortedIdsOf(worker.runs), sortedIdsOf(sent), 'the tasks that were delivered, each once')
      await within('the consumer of the rule closes', worker.consumer.close())
      await stage.nothingLeft()
    },
  }),
  staged({
    id: 'WQ-3.5',
    kind: 'plain',
    title: 'a message is delivered again when its handler ends or throws without settling it',
    hint: 'when a handler has ended and its delivery is not settled, release the delivery, however the handler ended',
    run: async ({ port, waitUntil, within }, stage) => {
      const sent = await stage.send(3)
      const ways: ((delivery: Delivery) => Promise<void>)[] = [
        async () => {},
        async () => {
          throw new Error('thrown by a handler on purpose')
        },
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- a task's body may throw anything
        () => Promise.reject(undefined),
      ]
      const worker = await stage.work(port, {
        slots: 2,
        handle: (delivery, time) => {
          const way = time > 1 ? acceptAtOnce : ways[idsOf(sent).indexOf(delivery.message.taskId)]
          return (way ?? acceptAtOnce)(delivery)
        },
      })
      await waitUntil('all 3 messages are delivered twice', () => worker.runs.length >= 6 && worker.running === 0)
      await stage.quiet('after all 3 messages were delivered twice')
      same(sortedIdsOf(worker.runs), sortedIdsOf([...sent, ...sent]), 'the tasks that were delivered, each twice')
      const seen = new Set<string>()
      for (const { taskId, delivery } of worker.runs) {
        const [which, expected] = seen.has(taskId)
          ? ['second', { redelivered: true, releases: 1 }]
          : ['first', { redelivered: false, releases: 0 }]
        same(historyOf(delivery), expected, `what the ${which} delivery says, when the handler ends or throws without settling the first`)
        seen.add(taskId)
      }
      await within('the consumer of the rule closes', worker.consumer.close())
      await stage.nothingLeft()
    },
  }),
  staged({
    id: 'WQ-3.6',
    kind: 'plain',
    title: 'a message that is released with a delay comes back, not early where the engine can delay, and others pass it',
    hint: 'let the engine hold the message: a timer in the consumer takes a slot, and dies with the consumer',
    run: async ({ port, waitUntil, observe }, stage) => {
      let releasedAt = 0
      const comebacks: number[] = []
      const [delayed] = await stage.send(1)
      const worker = await stage.work(port, {
        handle: async (delivery, time) => {
          const isDelayed = delivery.message.taskId === delayed?.taskId
          if (isDelayed && time > 1) comebacks.push(Date.now())
          if (!isDelayed || time > 1) return delivery.accept()
          releasedAt = Date.now()
          await delivery.release({ delayMs: releaseDelayMs })
        },
      })
      await waitUntil('the message is released', () => releasedAt > 0)
      const passing = await stage.send(3)
      await waitUntil('other messages pass it, and it comes back', () => worker.runs.length === 5)
      same(
        sortedIdsOf(worker.runs.slice(1)),
        sortedIdsOf([...passing, ...(delayed === undefined ? [] : [delayed])]),
        'the tasks that were delivered after the release',
      )
      const [back = 0] = comebacks
      observe({ releasedAt, back })
      // The timers of some engines fire slightly early.
      if (port.capabilities.delayedRelease)
        holds(
          back - releasedAt >= 0.9 * releaseDelayMs,
          `a message released for ${releaseDelayMs} ms came back after ${back - releasedAt} ms`,
        )
    },
  }),
  staged({
    id: 'WQ-3.7',
    kind: 'plain',
    title: 'a rejected message is among the dead letters of its queue, with the reason',
    hint: 'many engines drop the reason: publish a copy with a header, then settle the original',
    run: async ({ port, waitUntil, observe }, stage) => {
      const why = 'no node knows the type "reindex" (größer als Version 2)'
      const [accepted, released, rejected] = await stage.send(3)
      await stage.work(port, {
        handle: (delivery, time) => {
          if (delivery.message.taskId === rejected?.taskId) return delivery.reject(why)
          return delivery.message.taskId === released?.taskId && time === 1 ? delivery.release() : delivery.accept()
        },
      })
      const deadWith = async (text: string): Promise<number> => {
        const dead = await stage.deadLetters(port)
        observe(dead)
        return dead.filter((letter) => letter.message?.taskId === text || letter.why === text).length
      }
      await waitUntil('the rejected message is a dead letter', async () => (await deadWith(rejected?.taskId ?? '')) > 0)
      await stage.quiet('after one message was accepted, one released and one rejected')
      same(await deadWith(rejected?.taskId ?? ''), 1, 'the dead letters of the rejected message')
      same(await deadWith(why), 1, 'the dead letters with the reason of the rejection')
      for (const message of [accepted, released])
        same(await deadWith(message?.taskId ?? ''), 0, 'the dead letters of a message that was not rejected')
    },
  }),
  staged({
    id: 'WQ-3.8',
    kind: 'plain',
    title: 'settling a delivery again changes nothing and does not fail',
    hint: 'remember in the delivery that it is settled; some engines break the connection at the second acknowledgement',
    run: async ({ port, waitUntil, within }, stage) => {
      const settle: readonly ((delivery: Delivery) => Promise<void>)[] = [
        (delivery) => delivery.accept(),
        (delivery) => delivery.release(),
        (delivery) => delivery.reject('rejected on purpose'),
      ]
      const sent = await stage.send(settle.length)
      const errors: unknown[] = []
      const worker = await stage.work(port, {
        slots: 3,
        handle: async (delivery, time) => {
          const first = time > 1 ? 0 : idsOf(sent).indexOf(delivery.message.taskId)
          await settle[first]?.(delivery)
          try {
            for (const again of settle) await again(delivery)
            await Promise.all(settle.map((again) => again(delivery)))
          } catch (error) {
            errors.push(error)
          }
        },
      })
      await waitUntil('the message that was released comes again', () => worker.runs.length >= 4 && worker.running === 0)
      await stage.quiet('after each delivery was settled seven times')
      same(errors, [], 'the errors of settling a delivery again')
      same(
        sortedIdsOf(worker.runs),
        sortedIdsOf([...sent, ...sent.slice(1, 2)]),
        'the tasks that were delivered: the one that was released first, twice',
      )
      await within('the consumer of the rule closes', worker.consumer.close())
      await stage.nothingLeft()
      const dead = await stage.deadLetters(port)
      same(dead.length, 1, 'the dead letters: only the message that was rejected first')
    },
  }),
]
