import type { CallOptions, Consumer, Delivery, WorkMessage, WorkQueue } from '@taskledger/core/ports'
import { onAbort } from '@taskledger/core/ports'
import type { Mutant } from '../run-mutant.ts'
import type { Room, Run } from './plain-queue.ts'
import { PlainQueue } from './plain-queue.ts'
import { mutant } from './subject.ts'

/** Other rules may see a lease that ends too early, too: the leases of these engines are short. */
const ofLeases = ['WQ-1', 'WQ-3.9', 'WQ-4', 'WQ-7', 'WQ-9', 'WQ-T']

/** The engine takes back what it holds for a run, and puts it behind all other messages. */
export const loseToTheEnd = (room: Room, run: Run): void => {
  if (!run.held) return
  run.held = false
  run.settled = true
  room.waiting.push({ ...run.letter, redelivered: true })
}

/** Queues that get something wrong with messages whose consumer is slow, still, dead or closed, or with what they tell of that. */
export const leaseMutants: readonly Mutant<WorkQueue>[] = [
  mutant(
    'never renews a lease',
    ['WQ-3.9'],
    class extends PlainQueue {
      override renew(): void {}
    },
    ofLeases,
  ),
  mutant(
    'renews a lease once',
    ['WQ-3.9'],
    class extends PlainQueue {
      override renew(room: Room, run: Run): void {
        if (run.renewals === 0) super.renew(room, run)
      }
    },
    ofLeases,
  ),
  mutant(
    'renews the lease of a message, and not that of a turn',
    ['WQ-3.9'],
    class extends PlainQueue {
      override renew(room: Room, run: Run): void {
        if (!run.taker.serial) super.renew(room, run)
      }
    },
    ofLeases,
  ),
  mutant(
    'renews a lease until its delivery is accepted',
    ['WQ-3.9'],
    class extends PlainQueue {
      override renew(room: Room, run: Run): void {
        if (!run.accepted) super.renew(room, run)
      }
    },
    ofLeases,
  ),
  mutant(
    'settles the message, and not the delivery',
    ['WQ-2.10', 'WQ-3.11'],
    class extends PlainQueue {
      override deliveryOf(room: Room, run: Run, message: WorkMessage): Delivery {
        const latest = (): Delivery => {
          const current = [...room.running].find(({ letter }) => letter.text === run.letter.text)
          return super.deliveryOf(room, current ?? run, message)
        }
        return {
          ...super.deliveryOf(room, run, message),
          accept: () => latest().accept(),
          release: (options) => latest().release(options),
          reject: (why) => latest().reject(why),
        }
      }
    },
  ),
  mutant(
    'settles what the engine has taken back',
    ['WQ-2.10', 'WQ-3.11'],
    class extends PlainQueue {
      override lose(room: Room, run: Run): void {
        const { settled } = run
        super.lose(room, run)
        run.settled = settled
      }
    },
  ),
  mutant(
    'serial: goes on beside the next client after it stood still',
    ['WQ-2.10'],
    class extends PlainQueue {
      #hadTurn = false

      override expire(room: Room, run: Run): void {
        super.expire(room, run)
        this.#hadTurn = true
      }

      override isSerialFree(room: Room): boolean {
        return this.#hadTurn || room.running.size === 0
      }
    },
  ),
  mutant(
    'serial: puts the message of a lost turn at the end of the queue',
    ['WQ-2.4', 'WQ-2.10'],
    class extends PlainQueue {
      override lose(room: Room, run: Run): void {
        loseToTheEnd(room, run)
      }
    },
  ),
  mutant(
    'serial: puts the message of a closed holder at the end of the queue',
    ['WQ-2.6'],
    class extends PlainQueue {
      override unsettled(room: Room, run: Run): void {
        if (!run.taker.closed) super.unsettled(room, run)
        else if (this.settles(run)) this.putBack(room, { ...run.letter, redelivered: true })
      }
    },
  ),
  mutant(
    'serial: acknowledges when it accepts',
    ['WQ-2.4', 'WQ-2.10'],
    class extends PlainQueue {
      override acknowledgesAtOnce(): boolean {
        return true
      }
    },
  ),
  mutant(
    'counts the return from a dead consumer as a release',
    ['WQ-2.4', 'WQ-2.10', 'WQ-3.1', 'WQ-3.11'],
    class extends PlainQueue {
      override lose(room: Room, run: Run): void {
        const { letter } = run
        super.lose(room, run)
        const [first] = room.waiting
        if (first?.text === letter.text) first.releases++
      }
    },
  ),
  mutant(
    'counts the return from a closed consumer as a release',
    ['WQ-2.6', 'WQ-5.1', 'WQ-5.2'],
    class extends PlainQueue {
      override unsettled(room: Room, run: Run): void {
        super.unsettled(room, run.taker.closed ? { ...run, letter: { ...run.letter, releases: run.letter.releases + 1 } } : run)
        run.settled = true
      }
    },
  ),
  mutant(
    'does not count the end of a handler that settled nothing',
    ['WQ-3.5'],
    class extends PlainQueue {
      override unsettled(room: Room, run: Run): void {
        super.unsettled(room, run.taker.closed ? run : { ...run, letter: { ...run.letter, releases: run.letter.releases - 1 } })
        run.settled = true
      }
    },
  ),
  mutant(
    'marks every message as redelivered',
    ['WQ-1.1', 'WQ-3.3', 'WQ-3.5', 'WQ-9.2'],
    class extends PlainQueue {
      override deliveryOf(room: Room, run: Run, message: WorkMessage): Delivery {
        return { ...super.deliveryOf(room, run, message), redelivered: true }
      }
    },
  ),
  mutant(
    'marks only messages that were released as redelivered',
    ['WQ-2.4', 'WQ-2.6', 'WQ-2.10', 'WQ-3.1', 'WQ-3.11', 'WQ-5.1', 'WQ-5.2'],
    class extends PlainQueue {
      override deliveryOf(room: Room, run: Run, message: WorkMessage): Delivery {
        return { ...super.deliveryOf(room, run, message), redelivered: run.letter.releases > 0 }
      }
    },
  ),
  mutant(
    'ends the consumer with the signal of its consume',
    ['WQ-5.3'],
    class extends PlainQueue {
      override async consume(...[queue, handler, options]: Parameters<PlainQueue['consume']>): Promise<Consumer> {
        const consumer = await super.consume(queue, handler, options)
        if (options.signal !== undefined) onAbort(options.signal, () => void consumer.close())
        return consumer
      }
    },
  ),
  mutant(
    'leaves the consumer of a consume that was aborted',
    ['WQ-5.3'],
    class extends PlainQueue {
      override async consume(...given: Parameters<PlainQueue['consume']>): Promise<Consumer> {
        const consumer = await super.consume(...given)
        given[2].signal?.throwIfAborted()
        return consumer
      }
    },
  ),
  mutant(
    'counts the first pages of a queue',
    ['WQ-8.2'],
    class extends PlainQueue {
      override async depth(queue: string, options?: CallOptions): Promise<number> {
        return Math.min(40, await super.depth(queue, options))
      }
    },
  ),
  mutant(
    'drops messages behind the first pages',
    ['WQ-8.2', 'WQ-9.7'],
    class extends PlainQueue {
      override async send(queue: string, message: WorkMessage, options?: CallOptions): Promise<void> {
        this.enter(options)
        if (this.rooms.get(this.nameOf(queue)).waiting.length < 75) await super.send(queue, message, options)
      }
    },
  ),
]
