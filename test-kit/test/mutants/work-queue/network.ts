import type { DeadLetter, Delivery, WorkMessage, WorkQueue } from '@taskledger/core/ports'
import { unavailable, within } from '@taskledger/core/ports'
import type { Mutant } from '../run-mutant.ts'
import { DistantRooms, NetworkedQueue } from './networked-queue.ts'
import { loseToTheEnd } from './leases.ts'
import type { Dead, Room, Run } from './plain-queue.ts'
import { mutantOn } from './subject.ts'

const usual = ['WQ-1.1', 'WQ-1.3', 'WQ-2.9', 'WQ-3.10', 'WQ-3.12', 'WQ-6']

const mutant = mutantOn(() => new DistantRooms(), usual)

/** Without WQ-6.1 and WQ-6.2, which catch a mutant that does not wait for confirmations only by chance. */
const certain = ['WQ-1.1', 'WQ-6.3', 'WQ-6.4', 'WQ-6.5']

/** Queues whose engine is behind a network that breaks. */
export const networkMutants: readonly Mutant<WorkQueue>[] = [
  mutant('is right behind a network: the base of the mutants', [], NetworkedQueue, ['']),
  mutant(
    'never connects again',
    ['WQ-1.3', 'WQ-2.9', 'WQ-3.12', 'WQ-6.1', 'WQ-6.2', 'WQ-6.4'],
    class extends NetworkedQueue {
      override lost(): void {}
    },
  ),
  mutant(
    'connects again and does not consume again',
    ['WQ-1.3', 'WQ-2.9', 'WQ-3.12', 'WQ-6.1', 'WQ-6.4', 'WQ-F.1'],
    class extends NetworkedQueue {
      override rejoin(): void {}
    },
    [...usual, 'WQ-F.1'],
  ),
  mutant(
    'frees the slots of handlers that still run when a connection breaks',
    ['WQ-6.1', 'WQ-6.4'],
    class extends NetworkedQueue {
      override breakOff(): void {
        super.breakOff()
        for (const { taker } of this.takers) taker.running.clear()
      }
    },
  ),
  mutant(
    'does not wait for confirmations',
    ['WQ-6.3', 'WQ-6.4', 'WQ-6.5'],
    class extends NetworkedQueue {
      override async send(queue: string, message: WorkMessage): Promise<void> {
        void super.send(queue, message).catch(() => {})
      }
    },
    certain,
  ),
  mutant(
    'waits for confirmations without a bound',
    ['WQ-6.3', 'WQ-6.4', 'WQ-6.5'],
    class extends NetworkedQueue {
      override readonly patienceMs = 10_000_000
    },
  ),
  mutant(
    'reports a message without a confirmation as not sent',
    ['WQ-6.2'],
    class extends NetworkedQueue {
      override unanswered(): Error {
        return unavailable('not sent')
      }
    },
  ),
  mutant(
    'reports a message without a confirmation as sent',
    ['WQ-6.3', 'WQ-6.4', 'WQ-6.5'],
    class extends NetworkedQueue {
      override async send(...given: Parameters<NetworkedQueue['send']>): Promise<void> {
        await super.send(...given).catch(() => {})
      }
    },
    certain,
  ),
  mutant(
    'takes a renewal without an answer for a lost lease',
    ['WQ-3.10'],
    class extends NetworkedQueue {
      readonly #lost = new Set<Run>()

      override renew(room: Room, run: Run): void {
        if (this.#lost.has(run)) return
        const answered = this.engine.ask(this, async () => this.renewed(run))
        const onTimeout = (): void => void this.#lost.add(run)
        void within(answered, { timeoutMs: 5, onTimeout }).then(() => (run.held ? undefined : this.expire(room, run)))
      }
    },
  ),
  mutant(
    'ends all renewals when a connection breaks',
    ['WQ-3.13'],
    class extends NetworkedQueue {
      #isOver = false

      override breakOff(): void {
        super.breakOff()
        this.#isOver = true
      }

      override renew(room: Room, run: Run): void {
        if (!this.#isOver) super.renew(room, run)
      }
    },
    ['WQ-1.1', 'WQ-3.13'],
  ),
  mutant(
    'serial: begins the next message after a cut',
    ['WQ-2.9'],
    class extends NetworkedQueue {
      override lose(room: Room, run: Run): void {
        loseToTheEnd(room, run)
      }
    },
  ),
  mutant(
    'counts the return from a lost connection as a release',
    ['WQ-2.9', 'WQ-3.12', 'WQ-6.1', 'WQ-6.4'],
    class extends NetworkedQueue {
      override lose(room: Room, run: Run): void {
        super.lose(room, { ...run, letter: { ...run.letter, releases: run.letter.releases + 1 } })
        run.settled = true
      }
    },
  ),
  mutant(
    'settles without a bound while there is no connection',
    ['WQ-2.9', 'WQ-3.12'],
    class extends NetworkedQueue {
      override deliveryOf(room: Room, run: Run, message: WorkMessage): Delivery {
        const delivery = super.deliveryOf(room, run, message)
        const accept = (): Promise<void> => (this.connection === undefined ? new Promise(() => {}) : delivery.accept())
        return { ...delivery, accept }
      }
    },
  ),
  mutant(
    'drops a message whose accept() failed with UNAVAILABLE',
    ['WQ-3.12'],
    class extends NetworkedQueue {
      override deliveryOf(room: Room, run: Run, message: WorkMessage): Delivery {
        const delivery = super.deliveryOf(room, run, message)
        const accept = async (): Promise<void> => {
          if (this.connection !== undefined) return delivery.accept()
          room.waiting = room.waiting.filter(({ text }) => text !== run.letter.text)
          throw unavailable('there is no connection')
        }
        return { ...delivery, accept }
      }
    },
  ),
  mutant(
    'loses a message whose connection breaks',
    ['WQ-2.9', 'WQ-3.12'],
    class extends NetworkedQueue {
      override lose(_room: Room, run: Run): void {
        run.held = false
        run.settled = true
      }
    },
  ),
  mutant(
    'removes a dead letter before its copy is confirmed',
    ['WQ-9.6'],
    class extends NetworkedQueue {
      override async resend(room: Room, dead: Dead): Promise<void> {
        this.forget(room, dead)
        await this.request(async () => {
          // The connection breaks on the way there.
          if (this.engine.losesReplies) return
          this.putBack(room, { ...dead.letter, redelivered: false, releases: 0 })
        })
      }
    },
    ['WQ-9.6'],
  ),
  mutant(
    'waits without a bound for the confirmation of a resend',
    ['WQ-9.6'],
    class extends NetworkedQueue {
      override shown(room: Room, dead: Dead): DeadLetter {
        return { ...super.shown(room, dead), resend: () => new Promise(() => {}) }
      }
    },
    ['WQ-9.6'],
  ),
]
