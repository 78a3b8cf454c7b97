import type { WorkQueue } from '@taskledger/core/ports'
import type { Faults, Subject } from '@taskledger/test-kit'
import { workQueueContract } from '@taskledger/test-kit'
import type { Mutant } from '../run-mutant.ts'
import type { PlainQueue } from './plain-queue.ts'
import { Rooms } from './plain-queue.ts'

/** The subject of a harness, for clients of one engine. */
export const subjectOf = <Engine extends Rooms>(
  engine: Engine,
  Queue: new (engine: Engine) => PlainQueue,
  faults: Faults,
): Subject<WorkQueue> => {
  const clients = new Map<WorkQueue, PlainQueue>()
  const openClient = (): WorkQueue => {
    const client = new Queue(engine)
    clients.set(client, client)
    return client
  }
  return {
    port: openClient(),
    peer: async () => openClient(),
    faults,
    kill: async (client) => clients.get(client)?.vanish(),
    inject: async (bytes, queue) => {
      const room = engine.get(queue)
      room.waiting.push({ text: new TextDecoder().decode(bytes), redelivered: false, releases: 0 })
      for (const { client } of room.takers.slice(0, 1)) client.wake(room)
    },
  }
}

type Broken = new (rooms: Rooms) => PlainQueue

/** A mutant whose engine is in the process. */
export const mutant = (
  name: string,
  fails: readonly string[],
  Queue: Broken,
  restart: (rooms: Rooms) => void = () => {},
): Mutant<WorkQueue> => ({
  name,
  fails,
  contract: workQueueContract({
    name: 'mutant',
    timing: { deadlineMs: 3_000 },
    open: async () => {
      const rooms = new Rooms()
      return subjectOf(rooms, Queue, { restart: async () => restart(rooms) })
    },
  }),
})
