import { setTimeout as sleep } from 'node:timers/promises'
import type { Delivery, WorkMessage } from '@taskledger/core/ports'
import type { CallHandlers } from '@taskledger/test-kit/faults'
import type { Breakage, Mutant } from './broken-harness.ts'
import { stateless } from './broken-harness.ts'

export const deliverTwice: CallHandlers = {
  async 'queue.send'(next, queue, message) {
    await next(queue, message)
    await next(queue, message)
  },
}

/** A queue whose deliveries are altered. */
const delivering = (alter: (delivery: Delivery) => Partial<Delivery>): Breakage =>
  stateless({ 'inbound.delivery': (next, delivery) => next({ ...delivery, ...alter(delivery) }) })

export const queues: readonly Mutant[] = [
  {
    name: 'a queue that delivers twice (which is allowed)',
    breakage: stateless(deliverTwice),
    fails: [],
    holds: ['TM-1.4', 'TM-1.7', 'TM-2.9', 'TM-3.16', 'TM-4.1', 'TM-5.1', 'TM-5.2'],
  },
  {
    name: 'a queue that loses every tenth message',
    breakage: () => {
      let count = 0
      return () => ({
        async 'queue.send'(next, queue, message) {
          if (++count % 10 !== 0) await next(queue, message)
        },
      })
    },
    fails: ['TM-3.15', 'TM-3.21', 'TM-4.13', 'TM-5.2', 'TM-5.6'],
    holds: ['TM-1.4', 'TM-2.1', 'TM-3.1'],
  },
  {
    name: 'a queue that loses messages without their task',
    breakage: stateless({
      async 'queue.send'(next, queue, message) {
        if (message.created !== undefined) await next(queue, message)
      },
    }),
    fails: ['TM-3.18', 'TM-3.20', 'TM-4.1', 'TM-4.2', 'TM-4.3', 'TM-4.4', 'TM-5.8'],
    holds: ['TM-1.4', 'TM-2.1', 'TM-5.2'],
  },
  {
    name: 'a queue for each client',
    breakage: () => {
      let clients = 0
      return () => {
        const own = `client-${clients++}`
        return {
          'queue.send': (next, queue, message, options) => next(`${own}/${queue}`, message, options),
          'queue.consume': (next, queue, handler, options) => next(`${own}/${queue}`, handler, options),
        }
      }
    },
    fails: ['TM-1.15', 'TM-1.16', 'TM-1.17', 'TM-1.18', 'TM-3.1', 'TM-3.16', 'TM-3.20', 'TM-5.12'],
    holds: ['TM-1.4', 'TM-2.1'],
  },
  {
    name: 'a queue that is serial for each client only',
    breakage: stateless({ 'queue.consume': (next, queue, handler, options) => next(queue, handler, { ...options, mode: 'parallel' }) }),
    fails: ['TM-3.16', 'TM-3.17'],
    holds: ['TM-1.7', 'TM-3.5'],
  },
  {
    name: 'a queue that ignores slots',
    breakage: stateless({ 'queue.consume': (next, queue, handler, options) => next(queue, handler, { ...options, slots: 1_000 }) }),
    fails: ['TM-1.3', 'TM-1.7', 'TM-1.16', 'TM-1.17', 'TM-2.3', 'TM-3.5'],
    holds: ['TM-1.4', 'TM-3.1'],
  },
  {
    name: 'a queue that has one slot for each client',
    breakage: stateless({ 'queue.consume': (next, queue, handler, options) => next(queue, handler, { ...options, slots: 1 }) }),
    fails: ['TM-1.16', 'TM-2.7', 'TM-3.5', 'TM-3.19'],
    holds: ['TM-1.4', 'TM-1.7', 'TM-3.16'],
  },
  {
    name: 'a queue whose slot is free when a delivery is accepted',
    breakage: stateless({
      'inbound.delivery': (next, delivery) =>
        new Promise((resolve) => {
          const accept = async (): Promise<void> => resolve(await delivery.accept())
          void next({ ...delivery, accept }).then(resolve)
        }),
    }),
    fails: ['TM-1.3', 'TM-1.7', 'TM-1.17', 'TM-2.3', 'TM-3.5', 'TM-3.16', 'TM-3.17'],
    holds: ['TM-1.4', 'TM-3.1'],
  },
  {
    name: 'a queue that delivers the newest message first',
    breakage: () => {
      const kept: WorkMessage[] = []
      return () => ({
        async 'queue.send'(next, queue, message) {
          kept.push(message)
          if (kept.length > 1) return
          const sendAll = async (): Promise<void> => {
            const newestFirst = kept.splice(0).reverse()
            await Promise.all(newestFirst.map((each) => next(queue, each)))
          }
          void sleep(100)
            .then(sendAll)
            .catch(() => {})
        },
      })
    },
    fails: ['TM-1.7'],
    holds: ['TM-1.4', 'TM-3.1'],
  },
  {
    name: 'a queue that drops released messages',
    breakage: delivering((delivery) => ({ release: () => delivery.accept() })),
    fails: ['TM-3.21', 'TM-3.22', 'TM-3.23', 'TM-3.24'],
    holds: ['TM-1.4', 'TM-3.18', 'TM-3.26'],
  },
  {
    name: 'a queue that does not count releases',
    breakage: delivering(() => ({ releases: 0 })),
    fails: ['TM-3.22', 'TM-3.24'],
    holds: ['TM-3.1', 'TM-3.21', 'TM-3.23'],
  },
  {
    name: 'a queue that stops at what it cannot decode',
    breakage:
      ({ injected }) =>
      () => ({ 'inbound.delivery': async (next, delivery) => (injected.has('queue') ? delivery.accept() : next(delivery)) }),
    fails: ['TM-3.25'],
    holds: ['TM-3.1', 'TM-3.26'],
  },
]
