import type { WorkQueue } from '@taskledger/core/ports'
import type { Contract, Harness, Subject } from '@taskledger/test-kit'
import { workQueueContract } from '@taskledger/test-kit'
import type { Mutant } from '../run-mutant.ts'
import { isShared } from '../run-mutant.ts'
import type { PlainQueue } from './plain-queue.ts'
import { Rooms } from './plain-queue.ts'

type Broken<Engine> = new (engine: Engine) => PlainQueue

/** The subject of a harness, for clients of one engine. */
const subjectOf = <Engine extends Rooms>(engine: Engine, Queue: Broken<Engine>): Subject<WorkQueue> => {
  const clients = new Map<WorkQueue, PlainQueue>()
  const openClient = (): WorkQueue => {
    const client = new Queue(engine)
    clients.set(client, client)
    return client
  }
  return {
    port: openClient(),
    peer: async () => openClient(),
    faults: engine.faults,
    kill: async (client) => clients.get(client)?.vanish(),
    stallClient: async (client) => {
      const goOn = clients.get(client)?.standStill()
      return async () => goOn?.()
    },
    inject: async (bytes, queue) => {
      const room = engine.get(queue)
      room.waiting.push({ text: new TextDecoder().decode(bytes), redelivered: false, releases: 0 })
      for (const { client } of room.takers.slice(0, 1)) client.wake(room)
    },
  }
}

/** The rules of this port, without the shared ones that are not named: their mutants are in the folder "shared". */
const ownRules = (harness: Harness<WorkQueue>, only: readonly string[] = []): Contract<WorkQueue> => {
  const contract = workQueueContract(harness)
  return { ...contract, rules: contract.rules.filter(({ id }) => !isShared(id) || only.includes(id)) }
}

/** Makes mutants that work with such an engine. `usual`: the rules that are tried on each, if not all. */
export const mutantOn =
  <Engine extends Rooms>(openEngine: () => Engine, usual?: readonly string[]) =>
  (name: string, fails: readonly string[], Queue: Broken<Engine>, only: readonly string[] | undefined = usual): Mutant<WorkQueue> => ({
    name,
    fails,
    contract: ownRules(
      {
        name: 'mutant',
        timing: { deadlineMs: 2_000 },
        pageRows: 20,
        open: async () => subjectOf(openEngine(), Queue),
      },
      only,
    ),
    ...(only && { only }),
  })

/** A mutant whose engine is in the process. */
export const mutant = mutantOn(() => new Rooms())
