import type { WorkQueue } from '@taskledger/core/ports'
import type { Faults, Subject } from '@taskledger/test-kit'
import type { PlainQueue, Rooms } from './plain-queue.ts'

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
    deadLetters: async (queue) => engine.get(queue).dead,
    inject: async (bytes, queue) => {
      const room = engine.get(queue)
      room.waiting.push({ text: new TextDecoder().decode(bytes), redelivered: false, releases: 0 })
      for (const { client } of room.takers.slice(0, 1)) client.wake(room)
    },
  }
}
