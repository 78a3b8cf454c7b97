import type { CallOptions, DeadLetter, WorkQueue } from '@taskledger/core/ports'
import type { Dead, Letter, Room } from './plain-queue.ts'
import { PlainQueue } from './plain-queue.ts'
import { mutant } from './subject.ts'
import type { Mutant } from '../run-mutant.ts'

/** Queues that get something wrong with their dead letters. */
export const deadLetterMutants: readonly Mutant<WorkQueue>[] = [
  mutant(
    'lists the newest dead letter first',
    ['WQ-9.1', 'WQ-9.2', 'WQ-9.3', 'WQ-9.4', 'WQ-9.7'],
    class extends PlainQueue {
      override listed(room: Room): readonly Dead[] {
        return [...room.dead].reverse()
      }
    },
  ),
  mutant(
    'lists the first pages of dead letters',
    ['WQ-9.7'],
    class extends PlainQueue {
      override listed(room: Room): readonly Dead[] {
        return super.listed(room).slice(0, 40)
      }
    },
  ),
  mutant(
    'names dead letters anew each time',
    ['WQ-9.1'],
    class extends PlainQueue {
      override shown(room: Room, dead: Dead): DeadLetter {
        return { ...super.shown(room, dead), id: String(Math.random()) }
      }
    },
  ),
  mutant(
    'forgets the releases of a message that dies',
    ['WQ-9.1'],
    class extends PlainQueue {
      override bury(room: Room, letter: Letter, why: string): void {
        super.bury(room, { ...letter, releases: 0 }, why)
      }
    },
  ),
  mutant(
    'sends a dead letter again with its releases',
    ['WQ-9.2'],
    class extends PlainQueue {
      override async resend(room: Room, dead: Dead): Promise<void> {
        this.putBack(room, dead.letter)
        this.forget(room, dead)
      }
    },
  ),
  mutant(
    'keeps a dead letter that was sent again',
    ['WQ-9.2', 'WQ-9.4', 'WQ-9.7'],
    class extends PlainQueue {
      override async resend(room: Room, { letter }: Dead): Promise<void> {
        this.putBack(room, { ...letter, redelivered: false, releases: 0 })
      }
    },
  ),
  mutant(
    'removes every dead letter up to the one that is settled',
    ['WQ-9.2', 'WQ-9.3', 'WQ-9.7'],
    class extends PlainQueue {
      override forget(room: Room, dead: Dead): void {
        room.dead = room.dead.slice(room.dead.indexOf(dead) + 1)
      }
    },
  ),
  mutant(
    'takes dead letters out of the queue, and puts them back at the end of the iteration',
    ['WQ-9.2', 'WQ-9.3', 'WQ-9.4', 'WQ-9.5', 'WQ-9.7'],
    class extends PlainQueue {
      override async *deadLetters(queue: string, options?: CallOptions): AsyncGenerator<DeadLetter, void, undefined> {
        const room = this.rooms.get(queue)
        const taken: Dead[] = []
        for await (const letter of super.deadLetters(queue, options)) {
          taken.push(...room.dead.filter(({ id }) => id === letter.id))
          room.dead = room.dead.filter(({ id }) => id !== letter.id)
          yield letter
        }
        room.dead = [...taken, ...room.dead]
      }
    },
  ),
  mutant(
    'goes on with letters that die while the dead letters are read',
    ['WQ-9.4'],
    class extends PlainQueue {
      override async *deadLetters(queue: string, options?: CallOptions): AsyncGenerator<DeadLetter, void, undefined> {
        const seen = new Set<string>()
        for (let isOver = false; !isOver;) {
          isOver = true
          // What comes soon is waited for.
          for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
          for await (const letter of super.deadLetters(queue, options)) {
            if (seen.has(letter.id)) continue
            seen.add(letter.id)
            isOver = false
            yield letter
          }
        }
      }
    },
  ),
]
