import type { AppendOptions, EventStore, TaskEvent, TaskId } from '@taskledger/core/ports'
import { closedError, cohortOf, silentLogger, VersionConflict } from '@taskledger/core/ports'
import { createMemory } from '@taskledger/memory'
import type { Subject } from '@taskledger/test-kit'
import { eventStoreContract } from '@taskledger/test-kit'
import { describe } from 'vitest'
import type { Break, Data } from './cohorts.ts'
import { cohortMutants } from './cohorts.ts'
import { networkMutants } from './network.ts'
import type { Mutant } from '../run-mutant.ts'
import { describeMutants, everyRuleIsCaught } from '../run-mutant.ts'

const subjectOf = (broken: Break): Subject<EventStore> => {
  const memory = createMemory({ logger: silentLogger })
  const data: Data = { whole: () => memory.storage().events, own: new Map() }
  const open = (): EventStore => {
    const store = memory.storage().events
    const methods: EventStore = {
      capabilities: store.capabilities,
      append: (...given) => store.append(...given),
      read: (...given) => store.read(...given),
      histories: (...given) => store.histories(...given),
      remove: (...given) => store.remove(...given),
      close: () => store.close(),
    }
    return { ...methods, ...broken(store, data) }
  }
  return {
    port: open(),
    peer: async () => open(),
    inject: async (bytes, taskId) => memory.faults.injectEvent(taskId as TaskId, new TextDecoder().decode(bytes)),
  }
}

/** Small, so that the rules are quick. */
const pageRows = 120

const mutant = (name: string, fails: readonly string[], broken: Break): Mutant<EventStore> => ({
  name,
  fails,
  contract: eventStoreContract({ name: 'mutant', open: async () => subjectOf(broken), timing: { deadlineMs: 2_000 }, pageRows }),
})

const neverAborted = new AbortController().signal

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A correct store on one map, but for `check`, which decides whether an append is new. */
const simple =
  (
    check: (history: readonly TaskEvent[], taskId: TaskId, version: number, events: readonly TaskEvent[]) => Promise<boolean> | boolean,
  ): Break =>
  (store, { own }) => {
    let closed = false
    const pass = (signal?: AbortSignal): void => {
      if (closed) throw closedError('the mutant')
      signal?.throwIfAborted()
    }
    return {
      async append(taskId, version, events, options) {
        pass(options?.signal)
        const history = own.get(taskId) ?? []
        if (!isBehind(history, version, options)) throw new VersionConflict(taskId, version, history.length)
        const isNew = check(history, taskId, version, events)
        // No turn of the event loop between check and write, unless the check takes one.
        if (!(typeof isNew === 'boolean' ? isNew : await isNew)) return
        pass(options?.signal)
        own.set(taskId, [...(own.get(taskId) ?? []), ...structuredClone(events)])
      },
      async read(taskId, options) {
        pass(options?.signal)
        // Injected rows are in the correct store.
        const injected = (own.get(taskId) ?? []).length > 0 ? await store.read(taskId) : []
        return [...structuredClone(own.get(taskId) ?? []).filter(({ version }) => version > (options?.afterVersion ?? 0)), ...injected]
      },
      async *histories(options) {
        pass(options?.signal)
        for (const taskId of own.keys()) {
          pass(options?.signal)
          yield taskId
        }
      },
      async remove(taskId, options) {
        pass(options?.signal)
        const { firstEventId } = options ?? {}
        if (firstEventId === undefined || own.get(taskId)?.[0]?.eventId === firstEventId) own.delete(taskId)
      },
      async close() {
        closed = true
      },
    }
  }

const isRepeat = (history: readonly TaskEvent[], version: number, events: readonly TaskEvent[]): boolean =>
  events.every(({ eventId }, index) => history[version + index]?.eventId === eventId)

const isBehind = (history: readonly TaskEvent[], version: number, { follows }: AppendOptions = {}): boolean =>
  follows === undefined || history.length !== version || history[version - 1]?.eventId === follows

const mutants: readonly Mutant<EventStore>[] = [
  mutant(
    'fails for an unknown task',
    ['ES-1.1', 'ES-1.8', 'ES-3.4', 'ES-5.1', 'ES-5.2', 'ES-5.4', 'ES-5.6', 'ES-T.5', 'ES-T.7'],
    (store) => ({
      async read(taskId, options) {
        const history = await store.read(taskId, options)
        if (history.length === 0 && options?.afterVersion === undefined) throw new Error('no such task')
        return history
      },
    }),
  ),
  mutant('forgets who requested a cancellation', ['ES-1.2', 'ES-1.4'], (store) => ({
    async read(taskId, options) {
      return (await store.read(taskId, options)).map((event) => (event.type === 'TaskCancelRequested' ? { ...event, by: '' } : event))
    },
  })),
  mutant('normalises unicode', ['ES-1.6'], (store) => ({
    async append(taskId, version, events, options) {
      await store.append(taskId, version, JSON.parse(JSON.stringify(events).normalize('NFC')) as TaskEvent[], options)
    },
  })),
  mutant(
    'reads, then writes',
    ['ES-2.3', 'ES-2.4'],
    simple(async (history, taskId, version, events) => {
      if (history.length !== version) {
        if (isRepeat(history, version, events)) return false
        throw new VersionConflict(taskId, version, history.length)
      }
      await turn()
      return true
    }),
  ),
  mutant(
    'does not recognise its own events',
    ['ES-1.8', 'ES-2.6', 'ES-2.8', 'ES-3.1', 'ES-5.3', 'ES-5.6'],
    simple((history, taskId, version) => {
      if (history.length !== version) throw new VersionConflict(taskId, version, history.length)
      return true
    }),
  ),
  mutant(
    'checks only whether the row is free',
    ['ES-2.2', 'ES-5.2', 'ES-5.6'],
    simple((history, taskId, version, events) => {
      if (history.length > version) {
        if (isRepeat(history, version, events)) return false
        throw new VersionConflict(taskId, version, history.length)
      }
      return true
    }),
  ),
  mutant(
    'treats an append as a repeat if it knows the first event',
    ['ES-3.1'],
    simple((history, taskId, version, events) => {
      if (history.length === version) return true
      if (isRepeat(history, version, events.slice(0, 1))) return false
      throw new VersionConflict(taskId, version, history.length)
    }),
  ),
  mutant(
    'drops the second event of an append',
    ['ES-1.3', 'ES-1.4', 'ES-1.5', 'ES-1.8', 'ES-2.1', 'ES-3.1', 'ES-3.4', 'ES-5.1', 'ES-5.4'],
    (store) => ({
      append: (taskId, version, events, options) => store.append(taskId, version, [...events.slice(0, 1), ...events.slice(2)], options),
    }),
  ),
  mutant('writes the events of an append one by one', ['ES-3.4'], (store) => ({
    async append(taskId, version, events, options) {
      for (const [index, event] of events.entries()) {
        await store.append(taskId, version + index, [event], index === 0 ? options : {})
        await turn()
        options?.signal?.throwIfAborted()
      }
    },
  })),
  mutant('ignores afterVersion', ['ES-1.4', 'ES-1.8'], (store) => ({
    read: (taskId, options) => store.read(taskId, options?.signal === undefined ? {} : { signal: options.signal }),
  })),
  mutant('has room for one task in a cohort', ['ES-1.5', 'ES-2.7', 'ES-2.8', 'ES-6.1', 'ES-6.3'], (store, { own }) => ({
    async append(taskId, version, events, options) {
      await store.append(taskId, version, events, options)
      const cohort = cohortOf(taskId) as TaskId
      const before = own.get(cohort)?.[0]?.taskId
      if (before !== undefined && before !== taskId) await store.remove(before)
      own.set(cohort, [...events])
    },
  })),
  mutant(
    'returns the expected version as the actual one',
    ['ES-1.8', 'ES-2.1', 'ES-2.2', 'ES-2.5', 'ES-2.6', 'ES-5.2', 'ES-5.3', 'ES-5.6'],
    (store) => ({
      append: (taskId, version, ...rest) =>
        store.append(taskId, version, ...rest).catch((error: unknown) => {
          throw error instanceof VersionConflict ? new VersionConflict(taskId, version, version) : error
        }),
    }),
  ),
  mutant('keeps the events of its callers', ['ES-1.7'], (store, { own }) => ({
    async append(taskId, version, events, options) {
      await store.append(taskId, version, events, options)
      if (version === 0) own.set(taskId, [...events])
    },
    async read(taskId, options) {
      const events = await store.read(taskId, options)
      const [kept] = own.get(taskId) ?? []
      return kept === undefined || events.length === 0 || (options?.afterVersion ?? 0) > 0 ? events : [kept, ...events.slice(1)]
    },
    async remove(taskId, options) {
      own.delete(taskId)
      await store.remove(taskId, options)
    },
  })),
  mutant('skips rows that it cannot decode', ['ES-4.1', 'ES-4.2'], (store) => ({
    read: (taskId, options) =>
      store.read(taskId, options).catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && ['MALFORMED', 'UNKNOWN_EVENT_TYPE'].includes(String(error.code))) return []
        throw error
      }),
  })),
  mutant('does not compare the id of the event before', ['ES-5.3', 'ES-5.6'], (store) => ({
    append: (taskId, version, events, { follows: _follows, ...options } = {}) => store.append(taskId, version, events, options),
  })),
  mutant('compares the id of the event before also for a repeat', ['ES-5.3'], (store) => ({
    async append(taskId, version, events, options) {
      const history = await store.read(taskId)
      if (options?.follows !== undefined && history.at(-1)?.eventId !== options.follows)
        throw new VersionConflict(taskId, version, history.length)
      await store.append(taskId, version, events, options)
    },
  })),
  mutant('removes any history of the id', ['ES-5.4'], (store) => ({
    remove: (taskId, { firstEventId: _firstEventId, ...options } = {}) => store.remove(taskId, options),
  })),
  mutant('removes nothing', ['ES-1.8', 'ES-5.1', 'ES-5.2', 'ES-5.3', 'ES-5.4', 'ES-5.5', 'ES-5.6', 'ES-6.1'], (store) => ({
    async remove(taskId, options) {
      await store.read(taskId, options)
    },
  })),
  mutant('lists a history once for each event', ['ES-6.1', 'ES-6.2', 'ES-6.3'], (store) => ({
    async *histories(options) {
      for await (const taskId of store.histories(options)) {
        yield taskId
        options?.signal?.throwIfAborted()
        yield taskId
      }
    },
  })),
  mutant('lists one task of each cohort', ['ES-6.1', 'ES-6.3'], (store) => ({
    async *histories(options) {
      const cohorts = new Set<string>()
      for await (const taskId of store.histories(options)) {
        if (!cohorts.has(cohortOf(taskId))) yield taskId
        cohorts.add(cohortOf(taskId))
      }
    },
  })),
  mutant('ends the list at a history that it cannot decode', ['ES-6.2'], (store) => ({
    async *histories(options) {
      for await (const taskId of store.histories(options)) {
        await store.read(taskId)
        yield taskId
      }
    },
  })),
  mutant('reads 1,000 events at most', ['ES-1.8'], (store) => ({
    read: async (taskId, options) => (await store.read(taskId, options)).slice(0, 1_000),
  })),
  mutant('reads only the first two pages of a history', ['ES-1.8'], (store) => ({
    read: async (taskId, options) => (await store.read(taskId, options)).slice(0, 2 * pageRows),
  })),
  mutant('names only the first two pages of histories', ['ES-6.3'], (store) => ({
    async *histories(options) {
      let named = 0
      for await (const taskId of store.histories(options)) {
        // The pages are those of the engine: it has as many rows for a cohort.
        if (named++ < 4 * pageRows) yield taskId
      }
    },
  })),
  mutant('removes only the first two pages of a history', ['ES-1.8'], (store) => ({
    async remove(taskId, options) {
      const history = await store.read(taskId)
      await store.remove(taskId, options)
      const left = history.slice(2 * pageRows)
      if (left.length > 0) await store.append(taskId, 0, left)
    },
  })),
  mutant('remembers the event ids of removed histories, and takes them for stored', ['ES-5.5'], (store, { own }) => ({
    async append(taskId, version, events, options) {
      const removed = own.get(taskId) ?? []
      const isKnown = events.every(({ eventId }) => removed.some((event) => event.eventId === eventId))
      const { length } = await store.read(taskId)
      if (version === 0 && length === 0 && isKnown) return
      await store.append(taskId, version, events, options)
    },
    async remove(taskId, options) {
      own.set(taskId, [...(await store.read(taskId))])
      await store.remove(taskId, options)
    },
  })),
  mutant('takes the repeat of an append to a removed history for done', ['ES-5.6'], (store, { own }) => ({
    async append(taskId, version, events, options) {
      const removed = own.get(taskId) ?? []
      const { length } = await store.read(taskId)
      const isKnown = events.every(({ eventId }) => removed.some((event) => event.eventId === eventId))
      if (version > length && isKnown) return
      await store.append(taskId, version, events, options)
    },
    async remove(taskId, options) {
      own.set(taskId, [...(await store.read(taskId))])
      await store.remove(taskId, options)
    },
  })),
  mutant('goes on after close', ['ES-T.1'], () => ({ close: async () => {} })),
  mutant('ignores signals', ['ES-T.2', 'ES-T.5'], (store) => ({
    append: (taskId, version, events, options) => store.append(taskId, version, events, { ...options, signal: neverAborted }),
    read: (taskId, options) => store.read(taskId, { afterVersion: options?.afterVersion ?? 0 }),
    histories: () => store.histories(),
    remove: (taskId, { signal: _signal, ...options } = {}) => store.remove(taskId, options),
  })),
  mutant('cannot be closed twice', ['ES-T.3'], (store) => {
    let closed = false
    return {
      async close() {
        if (closed) throw new Error('closed already')
        closed = true
        await store.close()
      },
    }
  }),
]

const all = [...mutants, ...cohortMutants.map(([name, fails, broken]) => mutant(name, fails, broken)), ...networkMutants]

// Those behind a network mostly wait, so they run side by side.
describe.concurrent('mutants', () => {
  describeMutants('event store', all)
})
everyRuleIsCaught(all)
