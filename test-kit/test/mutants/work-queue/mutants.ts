import type { CallOptions, Consumer, Delivery, WorkMessage, WorkQueue } from '@taskledger/core/ports'
import type { Letter, Room, Run, Taker } from './plain-queue.ts'
import type { Faults } from '@taskledger/test-kit'
import { PlainQueue, Rooms } from './plain-queue.ts'
import { mutant, mutantOn } from './subject.ts'
import type { Mutant } from '../run-mutant.ts'

/** The message objects of senders, by their text, for the mutant that copies none. */
const given = new Map<string, WorkMessage>()

/** Fetches every message from the engine at once, and delivers them from its own memory. */
class FetchingQueue extends PlainQueue {
  readonly fetched = new Map<Taker, Letter[]>()

  override mayTake(room: Room, taker: Taker): boolean {
    if (taker.serial) return super.mayTake(room, taker)
    const fetched = this.fetched.get(taker) ?? []
    if (taker.slots > 0) fetched.push(...room.waiting.splice(0))
    this.fetched.set(taker, fetched)
    while (this.hasFreeSlot(taker)) {
      const letter = fetched.shift()
      if (letter === undefined) return false
      this.open(room, taker, letter)
    }
    return false
  }

  override ended(room: Room, run: Run): void {
    super.ended(room, run)
    if (!run.taker.closed && !this.closed) this.mayTake(room, run.taker)
  }

  override resize(room: Room, taker: Taker, slots: number): void {
    super.resize(room, taker, slots)
    this.mayTake(room, taker)
  }

  override async closeTaker(room: Room, taker: Taker): Promise<void> {
    this.#giveBack(room, taker)
    await super.closeTaker(room, taker)
  }

  override vanish(): void {
    for (const { room, taker } of this.takers) this.#giveBack(room, taker)
    super.vanish()
  }

  #giveBack(room: Room, taker: Taker): void {
    room.waiting.unshift(...(this.fetched.get(taker) ?? []).splice(0))
  }
}

/** An engine that keeps its messages in its process. */
class ForgetfulRooms extends Rooms {
  override readonly faults: Faults = {
    restart: async () => {
      for (const room of this.all) room.waiting = []
    },
  }
}

/** Queues whose engine is in the process. Queues behind a network are in network.ts. */
export const queueMutants: readonly Mutant<WorkQueue>[] = [
  mutant('is right: the base of the mutants', [], PlainQueue),
  mutant(
    'cuts a name at its first dot',
    ['WQ-1.0'],
    class extends PlainQueue {
      override nameOf(queue: string): string {
        return queue.split('.')[0] ?? queue
      }
    },
  ),
  mutant(
    'does not tell upper case from lower',
    ['WQ-1.0'],
    class extends PlainQueue {
      override nameOf(queue: string): string {
        return queue.toLowerCase()
      }
    },
  ),
  mutant(
    'delivers one message twice',
    ['WQ-1.1', 'WQ-1.2', 'WQ-8.2', 'WQ-9.7'],
    class extends PlainQueue {
      #sent = 0

      override async send(queue: string, message: WorkMessage, options?: CallOptions): Promise<void> {
        await super.send(queue, message, options)
        if (++this.#sent === 40) await super.send(queue, message, options)
      }
    },
  ),
  mutant(
    'is last in, first out',
    ['WQ-1.2', 'WQ-2.4', 'WQ-2.6', 'WQ-2.10', 'WQ-3.9'],
    class extends PlainQueue {
      override take(room: Room): Letter | undefined {
        return room.waiting.pop()
      }
    },
  ),
  mutantOn(() => new ForgetfulRooms())('loses everything in a restart, and declares durability', ['WQ-1.3'], PlainQueue),
  mutant(
    'ignores slots',
    ['WQ-2.1', 'WQ-2.2', 'WQ-2.5', 'WQ-2.7', 'WQ-2.8', 'WQ-5.1', 'WQ-5.2', 'WQ-8.1'],
    class extends PlainQueue {
      override hasFreeSlot(): boolean {
        return true
      }
    },
  ),
  mutant(
    'leaves one slot empty',
    ['WQ-2.1', 'WQ-2.2', 'WQ-2.7', 'WQ-2.8', 'WQ-3.1', 'WQ-3.2', 'WQ-3.11', 'WQ-5.1', 'WQ-5.2', 'WQ-8.1'],
    class extends PlainQueue {
      override hasFreeSlot({ running, slots }: Taker): boolean {
        return running.size < Math.min(slots, Math.max(1, slots - 1))
      }
    },
  ),
  mutant(
    'frees the slot when a delivery is accepted',
    ['WQ-2.1', 'WQ-2.5'],
    class extends PlainQueue {
      override hasFreeSlot({ running, slots }: Taker): boolean {
        return [...running].filter(({ accepted }) => !accepted).length < slots
      }

      override accept(room: Room, run: Run): void {
        super.accept(room, run)
        this.wake(room)
      }
    },
  ),
  mutant('fetches every message for one consumer', ['WQ-2.2', 'WQ-2.5', 'WQ-2.7', 'WQ-3.11', 'WQ-8.1'], FetchingQueue),
  mutant(
    'loses fetched messages when a consumer closes',
    ['WQ-2.2', 'WQ-2.5', 'WQ-2.7', 'WQ-3.11', 'WQ-5.1', 'WQ-5.2', 'WQ-8.1'],
    class extends FetchingQueue {
      override async closeTaker(room: Room, taker: Taker): Promise<void> {
        this.fetched.delete(taker)
        await super.closeTaker(room, taker)
      }
    },
  ),
  mutant(
    'is serial only within each client',
    ['WQ-2.3', 'WQ-2.4', 'WQ-2.6', 'WQ-2.10', 'WQ-3.9'],
    class extends PlainQueue {
      override isSerialFree(_room: Room, taker: Taker): boolean {
        return taker.running.size === 0
      }
    },
  ),
  mutant(
    'is not serial at all',
    ['WQ-2.3', 'WQ-2.4', 'WQ-2.6', 'WQ-2.10', 'WQ-3.9'],
    class extends PlainQueue {
      override isSerialFree(): boolean {
        return true
      }
    },
  ),
  mutant(
    'serial: begins the next run when a delivery is accepted',
    ['WQ-2.3', 'WQ-2.4', 'WQ-2.10', 'WQ-3.9'],
    class extends PlainQueue {
      override isSerialFree(room: Room): boolean {
        return [...room.running].every(({ accepted }) => accepted)
      }

      override accept(room: Room, run: Run): void {
        super.accept(room, run)
        this.wake(room)
      }
    },
  ),
  mutant(
    'serial: keeps the turn of a dead holder',
    ['WQ-2.4'],
    class extends PlainQueue {
      override vanish(): void {
        const lost = [...this.takers].flatMap(({ room, taker }) => (taker.serial ? [...taker.running].map((run) => ({ room, run })) : []))
        super.vanish()
        for (const { room, run } of lost) room.running.add(run)
      }
    },
  ),
  mutant(
    'serial: keeps the turn of a closed holder',
    ['WQ-2.6'],
    class extends PlainQueue {
      override async closeTaker(room: Room, taker: Taker): Promise<void> {
        const [run] = taker.running
        await super.closeTaker(room, taker)
        if (run !== undefined && taker.serial) room.running.add(run)
      }
    },
  ),
  mutant(
    'cannot be resized',
    ['WQ-2.7', 'WQ-2.8'],
    class extends PlainQueue {
      override resize(): void {}
    },
  ),
  mutant(
    'does not look again when slots are added',
    ['WQ-2.7', 'WQ-2.8'],
    class extends PlainQueue {
      override resize(_room: Room, taker: Taker, slots: number): void {
        taker.slots = slots
      }
    },
  ),
  mutant(
    'treats 0 slots as 1',
    ['WQ-2.7'],
    class extends PlainQueue {
      override hasFreeSlot({ running, slots }: Taker): boolean {
        return running.size < Math.max(1, slots)
      }
    },
  ),
  mutant(
    'acknowledges on delivery',
    [
      'WQ-2.4',
      'WQ-2.6',
      'WQ-2.10',
      'WQ-3.1',
      'WQ-3.2',
      'WQ-3.3',
      'WQ-3.5',
      'WQ-3.6',
      'WQ-3.7',
      'WQ-3.8',
      'WQ-3.11',
      'WQ-5.1',
      'WQ-5.2',
      'WQ-7.2',
      'WQ-9.1',
      'WQ-9.2',
      'WQ-9.3',
      'WQ-9.4',
      'WQ-9.5',
      'WQ-9.7',
    ],
    class extends PlainQueue {
      override deliveryOf(room: Room, run: Run, message: WorkMessage): Delivery {
        run.settled = true
        run.held = false
        return super.deliveryOf(room, run, message)
      }
    },
  ),
  mutant(
    'loses the messages of a dead consumer',
    ['WQ-2.4', 'WQ-2.10', 'WQ-3.1', 'WQ-3.2', 'WQ-3.11'],
    class extends PlainQueue {
      override lose(_room: Room, run: Run): void {
        run.settled = true
      }
    },
  ),
  mutant(
    'delivers the messages of a dead consumer a minute later',
    ['WQ-2.4', 'WQ-2.10', 'WQ-3.1', 'WQ-3.2', 'WQ-3.11'],
    class extends PlainQueue {
      override lose(room: Room, run: Run): void {
        setTimeout(() => super.lose(room, run), 60_000).unref()
      }
    },
  ),
  mutant(
    'does not mark redelivered messages',
    ['WQ-2.4', 'WQ-2.6', 'WQ-2.10', 'WQ-3.1', 'WQ-3.3', 'WQ-3.5', 'WQ-3.11', 'WQ-5.1', 'WQ-5.2'],
    class extends PlainQueue {
      override deliveryOf(room: Room, run: Run, message: WorkMessage): Delivery {
        return { ...super.deliveryOf(room, run, message), redelivered: false }
      }
    },
  ),
  mutant(
    'delivers accepted messages of a dead consumer again',
    ['WQ-2.4', 'WQ-3.2'],
    class extends PlainQueue {
      readonly #accepted: { readonly room: Room; readonly run: Run }[] = []

      override accept(room: Room, run: Run): void {
        super.accept(room, run)
        this.#accepted.push({ room, run })
      }

      override vanish(): void {
        super.vanish()
        for (const { room, run } of this.#accepted) room.waiting.push({ ...run.letter, redelivered: true })
      }
    },
  ),
  {
    ...mutant(
      'delivers accepted messages again a moment later',
      ['WQ-3.4', 'WQ-3.5'],
      class extends PlainQueue {
        override accept(room: Room, run: Run): void {
          super.accept(room, run)
          setTimeout(() => this.putBack(room, { ...run.letter, redelivered: true }), 15)
        }
      },
    ),
    // A rule that waits for no absence may be over before the second delivery.
    only: ['WQ-3.4', 'WQ-3.5'],
  },
  mutant(
    'drops released messages',
    ['WQ-3.3', 'WQ-3.6', 'WQ-3.8', 'WQ-3.11', 'WQ-7.2', 'WQ-9.1', 'WQ-9.2'],
    class extends PlainQueue {
      override release(): void {}
    },
  ),
  mutant(
    'does not count releases',
    ['WQ-3.3', 'WQ-3.11', 'WQ-9.1', 'WQ-9.2'],
    class extends PlainQueue {
      override release(room: Room, run: Run, delayMs: number): void {
        super.release(room, { ...run, letter: { ...run.letter, releases: -1 } }, delayMs)
      }
    },
  ),
  mutant(
    'counts also the releases that do not count',
    ['WQ-3.3'],
    class extends PlainQueue {
      override counts(): boolean {
        return true
      }
    },
  ),
  mutant(
    'counts releases in the client',
    ['WQ-3.3', 'WQ-3.5', 'WQ-3.11', 'WQ-9.2'],
    class extends PlainQueue {
      readonly #releases = new Map<string, number>()

      override release(room: Room, run: Run, delayMs: number): void {
        const { text } = run.letter
        this.#releases.set(text, (this.#releases.get(text) ?? 0) + 1)
        super.release(room, run, delayMs)
      }

      override deliveryOf(room: Room, run: Run, message: WorkMessage): Delivery {
        return { ...super.deliveryOf(room, run, message), releases: this.#releases.get(run.letter.text) ?? 0 }
      }
    },
  ),
  mutant(
    'requeues rejected messages',
    ['WQ-3.4', 'WQ-3.7', 'WQ-3.8', 'WQ-9.1', 'WQ-9.2', 'WQ-9.3', 'WQ-9.4', 'WQ-9.5', 'WQ-9.7'],
    class extends PlainQueue {
      override reject(room: Room, { letter }: Run): void {
        setTimeout(() => this.putBack(room, letter), 5)
      }
    },
  ),
  mutant(
    'drops rejected messages',
    ['WQ-3.7', 'WQ-3.8', 'WQ-9.1', 'WQ-9.2', 'WQ-9.3', 'WQ-9.4', 'WQ-9.5', 'WQ-9.7'],
    class extends PlainQueue {
      override reject(): void {}
    },
  ),
  mutant(
    'drops the reason of a rejection',
    ['WQ-3.7', 'WQ-9.1'],
    class extends PlainQueue {
      override reject(room: Room, { letter }: Run): void {
        this.bury(room, letter, 'rejected')
      }
    },
  ),
  mutant(
    'drops messages that a handler has not settled',
    ['WQ-2.6', 'WQ-3.5', 'WQ-5.1', 'WQ-5.2'],
    class extends PlainQueue {
      override unsettled(): void {}
    },
  ),
  mutant(
    'drops messages whose handler throws',
    ['WQ-3.5'],
    class extends PlainQueue {
      override threw(_room: Room, run: Run): void {
        run.settled = true
      }
    },
  ),
  mutant(
    'stops consuming when a handler throws',
    ['WQ-3.5'],
    class extends PlainQueue {
      override threw(room: Room, { taker }: Run): void {
        room.takers = room.takers.filter((each) => each !== taker)
      }
    },
  ),
  mutant(
    'ignores the delay of a release',
    ['WQ-3.6'],
    class extends PlainQueue {
      override release(room: Room, run: Run): void {
        super.release(room, run, 0)
      }
    },
  ),
  mutant(
    'waits for the delay of a release in the slot',
    ['WQ-3.6'],
    class extends PlainQueue {
      override deliveryOf(room: Room, run: Run, message: WorkMessage): Delivery {
        const delivery = super.deliveryOf(room, run, message)
        const release: Delivery['release'] = async (options) => {
          await delivery.release(options)
          // Far longer than any deadline, so that the rule fails on a slow machine too.
          if (options?.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, 60_000).unref())
        }
        return { ...delivery, release }
      }
    },
  ),
  mutant(
    'settles a delivery more than once',
    ['WQ-2.4', 'WQ-2.10', 'WQ-3.8', 'WQ-3.11'],
    class extends PlainQueue {
      override settles(run: Run): boolean {
        run.settled = true
        return true
      }

      override unsettled(room: Room, run: Run): void {
        if (!run.settled) super.unsettled(room, run)
      }

      override lose(room: Room, run: Run): void {
        if (!run.settled) super.lose(room, run)
      }
    },
  ),
  mutant(
    'throws when a delivery is settled again',
    ['WQ-2.10', 'WQ-3.8', 'WQ-3.11'],
    class extends PlainQueue {
      override deliveryOf(room: Room, run: Run, message: WorkMessage): Delivery {
        const delivery = super.deliveryOf(room, run, message)
        const throwSettled = (): void => {
          if (run.settled) throw new Error('unknown delivery tag')
        }
        return {
          ...delivery,
          accept: async () => {
            throwSettled()
            await delivery.accept()
          },
          release: async (options) => {
            throwSettled()
            await delivery.release(options)
          },
        }
      }
    },
  ),
  mutant(
    'stops at a malformed message',
    ['WQ-4.1'],
    class extends PlainQueue {
      override decode(room: Room, letter: Letter): WorkMessage {
        try {
          return super.decode(room, letter)
        } catch (error) {
          room.takers = []
          throw error
        }
      }
    },
  ),
  mutant(
    'delivers malformed messages',
    ['WQ-4.1'],
    class extends PlainQueue {
      override decode(room: Room, letter: Letter): WorkMessage {
        try {
          return super.decode(room, letter)
        } catch {
          return { taskId: letter.text } as WorkMessage
        }
      }
    },
  ),
  mutant(
    'requeues malformed messages',
    ['WQ-4.1'],
    class extends PlainQueue {
      override bury(room: Room, letter: Letter, why: string): void {
        if (why.includes('MALFORMED') || why.includes('message:')) setTimeout(() => this.putBack(room, letter), 1)
        else super.bury(room, letter, why)
      }
    },
  ),
  mutant(
    'does not wait for its handlers when it closes',
    ['WQ-5.1', 'WQ-5.2'],
    class extends PlainQueue {
      override async waitFor(): Promise<void> {}
    },
  ),
  mutant(
    'closes a client without its consumers',
    ['WQ-5.2'],
    class extends PlainQueue {
      override async close(): Promise<void> {
        this.closed = true
      }
    },
  ),
  mutant(
    'ignores accepts while it closes',
    ['WQ-2.6', 'WQ-5.1', 'WQ-5.2'],
    class extends PlainQueue {
      override deliveryOf(room: Room, run: Run, message: WorkMessage): Delivery {
        const delivery = super.deliveryOf(room, run, message)
        return { ...delivery, accept: async () => (run.taker.closed ? undefined : delivery.accept()) }
      }
    },
  ),
  mutant(
    'keeps delivering to a closed consumer',
    [
      'WQ-1.1',
      'WQ-2.6',
      'WQ-2.7',
      'WQ-3.3',
      'WQ-3.4',
      'WQ-3.5',
      'WQ-3.8',
      'WQ-3.11',
      'WQ-5.1',
      'WQ-5.2',
      'WQ-5.3',
      'WQ-8.2',
      'WQ-9.2',
      'WQ-9.3',
      'WQ-9.4',
      'WQ-9.7',
    ],
    class extends PlainQueue {
      override async closeTaker(_room: Room, taker: Taker): Promise<void> {
        await this.waitFor(taker)
      }
    },
  ),
  mutant(
    'writes one byte for each character',
    ['WQ-7.1'],
    class extends PlainQueue {
      override encode(message: WorkMessage): string {
        return Buffer.from(super.encode(message), 'latin1').toString('latin1')
      }
    },
  ),
  mutant(
    'drops a large first event',
    ['WQ-7.1'],
    class extends PlainQueue {
      override encode({ created, ...message }: WorkMessage): string {
        const whole = super.encode({ ...message, ...(created && { created }) })
        return whole.length < 4_096 ? whole : super.encode(message)
      }
    },
  ),
  mutant(
    'keeps the message object of the sender',
    ['WQ-7.2'],
    class extends PlainQueue {
      override async send(queue: string, message: WorkMessage, options?: CallOptions): Promise<void> {
        given.set(this.encode(message), message)
        await super.send(queue, message, options)
      }

      override decode(room: Room, letter: Letter): WorkMessage {
        return given.get(letter.text) ?? super.decode(room, letter)
      }
    },
  ),
  mutant(
    'goes on after close',
    ['WQ-T.1'],
    class extends PlainQueue {
      override enter(options?: CallOptions): void {
        options?.signal?.throwIfAborted()
      }
    },
  ),
  mutant(
    'counts messages that are being handled as waiting',
    ['WQ-8.1'],
    class extends PlainQueue {
      override async depth(queue: string, options?: CallOptions): Promise<number> {
        return (await super.depth(queue, options)) + this.rooms.get(queue).running.size
      }
    },
  ),
  mutant(
    'ignores signals',
    ['WQ-T.2', 'WQ-9.4'],
    class extends PlainQueue {
      override enter(): void {
        super.enter()
      }
    },
  ),
  mutant(
    'cannot be closed twice',
    ['WQ-5.1', 'WQ-5.2', 'WQ-T.3'],
    class extends PlainQueue {
      override async close(): Promise<void> {
        if (this.closed) throw new Error('closed already')
        await super.close()
      }

      override async consume(...given: Parameters<PlainQueue['consume']>): Promise<Consumer> {
        const consumer = await super.consume(...given)
        let closed = false
        const close = async (): Promise<void> => {
          if (closed) throw new Error('closed already')
          closed = true
          await consumer.close()
        }
        return { ...consumer, close }
      }
    },
  ),
]
