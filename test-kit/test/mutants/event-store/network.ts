import { setTimeout as sleep } from 'node:timers/promises'
import type { EventStore, TaskEvent, TaskId } from '@taskledger/core/ports'
import { outcomeUnknown, silentLogger, unavailable, VersionConflict } from '@taskledger/core/ports'
import { createMemory } from '@taskledger/memory'
import type { Faults } from '@taskledger/test-kit'
import { eventStoreContract } from '@taskledger/test-kit'
import type { Mutant } from '../run-mutant.ts'

/** A network: a request takes time there and back, and is lost if the connection breaks meanwhile. */
class Network {
  cuts = 0
  losesReplies = false

  /** @throws the error of `lost`, for a request or an answer that did not arrive. */
  async ask<Answer>(call: () => Promise<Answer>, lost: (isDone: boolean) => Error): Promise<Answer> {
    const connection = this.cuts
    await sleep(1)
    if (this.cuts !== connection) throw lost(false)
    const answer = await call()
    await sleep(1)
    if (this.cuts !== connection || this.losesReplies) throw lost(true)
    return answer
  }
}

const notDone = (): Error => unavailable('no answer')
const lostCall = (isDone: boolean): Error => (isDone ? outcomeUnknown('no answer') : notDone())

/** How a client differs from one request for each call. */
interface Deviations {
  append?(store: EventStore, ask: Ask, ...given: Parameters<EventStore['append']>): Promise<void>
  read?(store: EventStore, ask: Ask, taskId: TaskId): Promise<readonly TaskEvent[]>
  /** The error of an append whose request or answer is lost. */
  lost?(isDone: boolean, taskId: TaskId, version: number): Error
  /** Whether a restart of the engine loses all appended events. */
  readonly isForgetful?: boolean
}

type Ask = <Answer>(call: () => Promise<Answer>) => Promise<Answer>

const mutant = (name: string, fails: readonly string[], deviations: Deviations = {}): Mutant<EventStore> => {
  const open = async () => {
    const memory = createMemory({ logger: silentLogger })
    const network = new Network()
    const appended = new Set<TaskId>()
    const client = (): EventStore => {
      const store = memory.storage().events
      const ask: Ask = (call) => network.ask(call, lostCall)
      return {
        capabilities: { durability: 'restart' },
        append: async (taskId, version, events, options) => {
          options?.signal?.throwIfAborted()
          appended.add(taskId)
          const lost = (isDone: boolean): Error => deviations.lost?.(isDone, taskId, version) ?? lostCall(isDone)
          const { append } = deviations
          if (append !== undefined) return append(store, ask, taskId, version, events, options)
          await network.ask(() => store.append(taskId, version, events, options), lost)
        },
        read: async (taskId, options) => {
          options?.signal?.throwIfAborted()
          const events = await (deviations.read?.(store, ask, taskId) ?? ask(() => store.read(taskId)))
          return events.slice(options?.afterVersion ?? 0)
        },
        histories: (options) => store.histories(options),
        remove: (taskId, options) => store.remove(taskId, options),
        close: () => store.close(),
      }
    }
    const faults: Faults = {
      cut: async () => void network.cuts++,
      loseReplies: async () => {
        network.losesReplies = true
        return async () => void (network.losesReplies = false)
      },
      restart: async () => {
        network.cuts++
        const { events } = memory.storage()
        if (deviations.isForgetful === true) for (const taskId of appended) await events.remove(taskId)
      },
    }
    const inject = async (bytes: Uint8Array, taskId: string): Promise<void> =>
      memory.faults.injectEvent(taskId as TaskId, new TextDecoder().decode(bytes))
    return { port: client(), peer: async () => client(), faults, inject }
  }
  return { name, fails, contract: eventStoreContract({ name: 'mutant', open, timing: { deadlineMs: 5_000 } }) }
}

/** Stores whose engine is behind a network that breaks. */
export const networkMutants: readonly Mutant<EventStore>[] = [
  mutant('is right behind a network: the base of the mutants', []),
  mutant('reports a lost answer as not done', ['ES-3.2', 'ES-3.3'], { lost: notDone }),
  mutant('reports a lost answer as a conflict', ['ES-3.2', 'ES-3.3'], {
    lost: (isDone, taskId, version) => (isDone ? new VersionConflict(taskId, version, version + 1) : notDone()),
  }),
  mutant('writes the events of an append in one request each', ['ES-3.3', 'ES-3.4'], {
    async append(store, ask, taskId, version, events, options) {
      for (const [index, event] of events.entries())
        await ask(() => store.append(taskId, version + index, [event], index === 0 ? options : {}))
    },
  }),
  mutant('acknowledges before anything is on disk', ['ES-3.5'], { isForgetful: true }),
  mutant('reads the last row apart from those before it', ['ES-3.4'], {
    async read(store, ask, taskId) {
      const first = await ask(() => store.read(taskId))
      await sleep(2)
      const last = (await ask(() => store.read(taskId))).slice(-1)
      return [...first.slice(0, -1), ...last]
    },
  }),
]
