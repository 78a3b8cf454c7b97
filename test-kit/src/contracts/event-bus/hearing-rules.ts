import type { EventBus, TaskNotice } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { failedWith, same } from '../expectations.ts'
import { outcomeOf } from '../outcome.ts'
import { hasHeard, expectHeard, lastNotice, listenOn, noticesWith, noticeWith, quiet, sameNotices } from './hearing.ts'

export const hearingRules: readonly Rule<EventBus>[] = [
  {
    id: 'EB-1.1',
    kind: 'plain',
    title: 'every client, the publisher included, hears every notice once',
    hint: 'give each client a queue of its own: clients that share a queue divide the notices among them',
    run: async (context) => {
      const clients = [context.port, await context.peer(), await context.peer()]
      const ears = [...clients, ...clients].map(listenOn)
      const published: TaskNotice[] = []
      for (const client of clients) {
        const notices = noticesWith(context.random, 5)
        await client.publish(notices)
        published.push(...notices)
      }
      await context.waitUntil(`every listener hears all ${published.length} notices`, () =>
        ears.every((ear) => published.every((notice) => hasHeard(ear, notice))),
      )
      published.push(...(await quiet(context, clients, ears)))
      expectHeard(ears, published)
    },
  },
  {
    id: 'EB-1.2',
    kind: 'race',
    title: 'notices of one sender are heard in the order in which it published them, one by one or in batches',
    hint: 'use one channel for all notices of a client, and no later step in which a notice overtakes another',
    run: async ({ port, peer, random, waitUntil, observe }) => {
      const other = await peer()
      const ears = [port, other, await peer()].map(listenOn)
      const publish = async (client: EventBus, node: string): Promise<readonly TaskNotice[]> => {
        const notices = noticesWith(random, 120, { node })
        const pending: Promise<void>[] = []
        for (let begin = 0; begin < notices.length;) {
          const size = begin % 3 === 0 ? 1 : 1 + Math.floor(random() * 9)
          pending.push(client.publish(notices.slice(begin, begin + size)))
          // Half of the batches do not wait for the batch before.
          if (begin % 2 === 0) await pending.at(-1)
          begin += size
        }
        await Promise.all(pending)
        return notices
      }
      const [first, second] = await Promise.all([publish(port, 'a'), publish(other, 'b')])
      await waitUntil(`every listener hears ${first.length + second.length} notices`, () =>
        ears.every(({ heard }) => heard.length === first.length + second.length),
      )
      for (const [index, { heard }] of ears.entries()) {
        for (const [node, published] of [
          ['a', first],
          ['b', second],
        ] as const) {
          const fromNode = heard.filter((notice) => notice.node === node)
          observe(fromNode.map(({ version }) => version))
          sameNotices(fromNode, published, `listener ${index + 1} of ${ears.length} from the sender ${node},`)
        }
      }
    },
  },
  {
    id: 'EB-1.3',
    kind: 'plain',
    title: 'a listener that throws stops neither the other listeners nor itself nor the publisher',
    hint: 'call each listener in a try of its own',
    run: async (context) => {
      const { port, random, waitUntil } = context
      const before = listenOn(port)
      let thrown = 0
      port.subscribe(() => {
        thrown++
        throw new Error('thrown by a listener on purpose')
      })
      const after = listenOn(port)
      const far = listenOn(await context.peer())
      const ears = [before, after, far]
      const notices = noticesWith(random, 3)
      for (const notice of notices) await port.publish([notice])
      const last = await lastNotice(context, port, ears)
      expectHeard(ears, [...notices, last])
      await waitUntil('the listener that throws hears every notice too', () => thrown === 4)
    },
  },
  {
    id: 'EB-1.4',
    kind: 'plain',
    title: 'a listener that subscribes late hears only later notices',
    hint: 'keep nothing for listeners that are not there yet',
    run: async (context) => {
      const { port, peer, random, waitUntil } = context
      const early = [listenOn(port), listenOn(await peer())]
      const old = noticesWith(random, 5)
      await port.publish(old)
      await waitUntil('the early listeners hear the first 5 notices', () => early.every(({ heard }) => heard.length === old.length))
      const late = [listenOn(port), listenOn(await peer())]
      const last = await lastNotice(context, port, [...early, ...late])
      expectHeard(late, [last])
    },
  },
  {
    id: 'EB-1.5',
    kind: 'plain',
    title: 'a listener hears nothing after it unsubscribed, and the others still hear everything',
    hint: 'a listener may unsubscribe itself or another while a notice is delivered: do not walk the list that it changes',
    run: async (context) => {
      const { port, random, waitUntil } = context
      const stopped = listenOn(port)
      const once: TaskNotice[] = []
      const unsubscribeOnce = port.subscribe((notice) => {
        once.push(notice)
        unsubscribeOnce()
      })
      const stays = listenOn(port)
      const other = await context.peer()
      const far = listenOn(other)
      const first = noticeWith(random)
      await port.publish([first])
      await waitUntil(
        'every listener hears the first notice',
        () => [stopped, stays, far].every((ear) => hasHeard(ear, first)) && once.length > 0,
      )
      stopped.unsubscribe()
      stopped.unsubscribe()
      const notices = noticesWith(random, 5)
      await port.publish(notices.slice(0, 3))
      await other.publish(notices.slice(3))
      const last = await quiet(context, [port, other], [stays, far])
      expectHeard([stays, far], [first, ...notices, ...last])
      same(stopped.heard, [first], 'the notices that a listener heard which unsubscribed after the first')
      same(once, [first], 'the notices that a listener heard which unsubscribed itself in the first')
    },
  },
  {
    id: 'EB-1.6',
    kind: 'plain',
    title: 'the listeners of a closed client hear nothing more, and it accepts no new ones',
    hint: 'remove the listeners when the client closes; subscribing afterwards fails with CLOSED',
    run: async (context) => {
      const { port, peer, random } = context
      const closing = await peer()
      const closed = listenOn(closing)
      const stays = listenOn(port)
      const first = await lastNotice(context, port, [closed, stays])
      await closing.close()
      await port.publish(noticesWith(random, 3))
      await quiet(context, [port, await peer()], [stays])
      same(closed.heard, [first], 'the notices that a listener heard whose client closed after the first')
      closed.unsubscribe()
      failedWith(await outcomeOf((async () => closing.subscribe(() => {}))()), 'CLOSED', 'subscribe on a closed client')
      failedWith(await outcomeOf((async () => closing.onGap(() => {}))()), 'CLOSED', 'onGap on a closed client')
    },
  },
]
