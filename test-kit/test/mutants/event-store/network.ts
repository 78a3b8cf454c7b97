import { setTimeout as sleep } from 'node:timers/promises'
import type { EventStore, EventStoreCapabilities, TaskId } from '@taskledger/core/ports'
import { hasCode, silentLogger, unavailable, VersionConflict } from '@taskledger/core/ports'
import { createMemory } from '@taskledger/memory'
import type { Faults } from '@taskledger/test-kit'
import { eventStoreContract } from '@taskledger/test-kit'
import type { Mutant } from '../run-mutant.ts'
import { Line, Network, networked } from '../shared/network.ts'

const capabilities: EventStoreCapabilities = { durability: 'restart' }

/** How a client differs from one request for each call. */
interface Deviations {
  /** Other methods, on a store behind the network. */
  readonly methods?: (store: EventStore) => Partial<EventStore>
  readonly Line?: typeof Line
  /** Whether a restart of the engine loses all appended events. */
  readonly isForgetful?: boolean
}

const mutant = (name: string, fails: readonly string[], deviations: Deviations = {}): Mutant<EventStore> => {
  const open = async () => {
    const memory = createMemory({ logger: silentLogger })
    const network = new Network()
    const client = (): EventStore => {
      const LineOf = deviations.Line ?? Line
      const distant = networked(memory.storage().events, new LineOf(network), {
        calls: ['append', 'read', 'remove'],
        iterations: ['histories'],
      })
      const methods: EventStore = {
        capabilities,
        append: (...given) => distant.append(...given),
        read: (...given) => distant.read(...given),
        histories: (...given) => distant.histories(...given),
        remove: (...given) => distant.remove(...given),
        close: () => distant.close(),
      }
      return { ...methods, ...deviations.methods?.(distant) }
    }
    const faults: Faults = {
      ...network.faults,
      restart: async () => {
        const { events } = memory.storage()
        if (deviations.isForgetful === true) for await (const taskId of events.histories()) await events.remove(taskId)
        await network.faults.restart()
      },
    }
    const inject = async (bytes: Uint8Array, taskId: string): Promise<void> =>
      memory.faults.injectEvent(taskId as TaskId, new TextDecoder().decode(bytes))
    return { port: client(), peer: async () => client(), faults, inject }
  }
  return {
    name,
    fails,
    contract: eventStoreContract({ name: 'mutant', open, timing: { deadlineMs: 5_000 }, pageRows: 20 }),
    // The shared rules have mutants of their own.
    only: ['ES-1', 'ES-2', 'ES-3', 'ES-4', 'ES-5', 'ES-6'],
  }
}

/** Stores whose engine is behind a network that breaks. */
export const networkMutants: readonly Mutant<EventStore>[] = [
  mutant('is right behind a network: the base of the mutants', []),
  mutant('reports a lost answer as not done', ['ES-3.2', 'ES-3.3'], {
    Line: class extends Line {
      override lost(): Error {
        return unavailable('no answer')
      }
    },
  }),
  mutant('reports a lost answer as a conflict', ['ES-3.2', 'ES-3.3'], {
    methods: (store) => ({
      append: (taskId, version, ...rest) =>
        store.append(taskId, version, ...rest).catch((error: unknown) => {
          throw hasCode(error, 'OUTCOME_UNKNOWN') ? new VersionConflict(taskId, version, version + 1) : error
        }),
    }),
  }),
  mutant('writes the events of an append in one request each', ['ES-3.3', 'ES-3.4'], {
    methods: (store) => ({
      async append(taskId, version, events, options) {
        for (const [index, event] of events.entries()) await store.append(taskId, version + index, [event], index === 0 ? options : {})
      },
    }),
  }),
  mutant('acknowledges before anything is on disk', ['ES-3.5'], { isForgetful: true }),
  mutant('reads the last row apart from those before it', ['ES-3.4'], {
    methods: (store) => ({
      async read(taskId, options) {
        const first = await store.read(taskId, options)
        await sleep(2)
        const last = (await store.read(taskId, options)).slice(-1)
        return [...first.slice(0, -1), ...last]
      },
    }),
  }),
]
