import type { DeadLetter, WorkMessage, WorkQueue } from '@taskledger/core/ports'
import { unavailable } from '@taskledger/core/ports'
import { workQueueContract } from '@taskledger/test-kit'
import type { Mutant } from '../run-mutant.ts'
import { DistantRooms, NetworkedQueue } from './networked-queue.ts'
import type { Dead, Room } from './plain-queue.ts'
import { subjectOf } from './subject.ts'

const mutant = (
  name: string,
  fails: readonly string[],
  Queue: typeof NetworkedQueue,
  only: readonly string[] = ['WQ-1.1', 'WQ-1.3', 'WQ-6'],
): Mutant<WorkQueue> => ({
  name,
  fails,
  contract: workQueueContract({
    name: 'mutant',
    timing: { deadlineMs: 3_000 },
    open: async () => {
      const engine = new DistantRooms()
      return subjectOf(engine, Queue, engine.faults)
    },
  }),
  only,
})

/** Without WQ-6.1 and WQ-6.2, which catch a mutant that does not wait for confirmations only by chance. */
const certain = ['WQ-1.1', 'WQ-6.3', 'WQ-6.4', 'WQ-6.5']

/** Queues whose engine is behind a network that breaks. */
export const networkMutants: readonly Mutant<WorkQueue>[] = [
  mutant('is right behind a network: the base of the mutants', [], NetworkedQueue, ['']),
  mutant(
    'never connects again',
    ['WQ-1.3', 'WQ-6.1', 'WQ-6.2', 'WQ-6.4'],
    class extends NetworkedQueue {
      override lost(): void {}
    },
  ),
  mutant(
    'connects again and does not consume again',
    ['WQ-1.3', 'WQ-6.1', 'WQ-6.4'],
    class extends NetworkedQueue {
      override rejoin(): void {}
    },
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
