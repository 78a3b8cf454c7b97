import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskDetails, TaskEvent, TaskId, TaskProgress, WorkMessage } from '@taskledger/core/ports'
import { codeOf, isVersionConflict } from '@taskledger/core/ports'
import { createdEvent, freshTaskId } from '../../src/sample-data.ts'
import type { Breakage } from './task-manager.broken.ts'
import {
  both,
  breakBus,
  breakListing,
  breakNodes,
  breakQueue,
  breakStore,
  bus,
  delivering,
  rewriting,
  sending,
} from './task-manager.broken.ts'

/** What is broken, which rules have to see it, and a few that must not. */
export interface BrokenAdapters {
  readonly name: string
  readonly breakage: Breakage
  readonly fails: readonly string[]
  readonly holds: readonly string[]
  /** How long the rules that have to see it may take, in milliseconds. Default 2,000. */
  readonly deadlineMs?: number
}

const without =
  (...fields: readonly string[]) =>
  <T extends object>(value: T): T =>
    Object.fromEntries(Object.entries(value).filter(([key]) => !fields.includes(key))) as T

const blindAppends = breakStore(() => (store) => ({
  async append(taskId, expectedVersion, events) {
    for (let version = expectedVersion; ;) {
      try {
        return await store.append(
          taskId,
          version,
          events.map((event, index) => ({ ...event, version: version + index + 1 })),
        )
      } catch (error) {
        if (!isVersionConflict(error)) throw error
        version = error.actualVersion
      }
    }
  },
}))

const deliverTwice = sending(async (queue, name, message) => {
  await queue.send(name, message)
  await queue.send(name, message)
})

const stores: readonly BrokenAdapters[] = [
  {
    name: 'a store that appends whatever the version',
    breakage: blindAppends,
    fails: ['TM-2.3', 'TM-2.5', 'TM-2.10', 'TM-2.11', 'TM-3.26', 'TM-4.8', 'TM-4.9', 'TM-5.4', 'TM-5.5', 'TM-5.7'],
    holds: ['TM-1.4', 'TM-2.1', 'TM-3.1'],
  },
  {
    name: 'a store that appends whatever the version, and a queue that delivers twice',
    breakage: both(blindAppends, deliverTwice),
    fails: ['TM-1.4', 'TM-1.7', 'TM-2.4', 'TM-3.5', 'TM-5.1', 'TM-5.2'],
    holds: ['TM-1.1', 'TM-1.2', 'TM-4.11'],
  },
  {
    name: 'a store that adds a repeated append once more',
    breakage: breakStore(() => (store) => ({
      append: async (taskId, expectedVersion, events, options) => {
        const history = await store.read(taskId)
        const isRepeated = events.some(({ eventId }) => history.some((stored) => stored.eventId === eventId))
        const version = isRepeated ? history.length : expectedVersion
        const repeated = events.map((event, index) => ({ ...event, version: version + index + 1, eventId: `${event.eventId} again` }))
        await store.append(taskId, version, isRepeated ? repeated : events, options)
      },
    })),
    fails: ['TM-4.10', 'TM-5.3', 'TM-5.10'],
    holds: ['TM-1.4', 'TM-2.9', 'TM-5.1', 'TM-5.11'],
  },
  {
    name: 'a store whose answers are a second old',
    breakage: breakStore(() => {
      const seen = new Map<TaskId, { readonly at: number; readonly history: readonly TaskEvent[] }>()
      return (store) => ({
        async read(taskId, options) {
          const known = seen.get(taskId)
          if (known !== undefined && Date.now() - known.at < 1_000) return known.history.slice(options?.afterVersion ?? 0)
          const history = await store.read(taskId)
          seen.set(taskId, { at: Date.now(), history })
          return history.slice(options?.afterVersion ?? 0)
        },
      })
    }),
    fails: ['TM-1.3', 'TM-3.2', 'TM-3.4', 'TM-3.14', 'TM-5.12'],
    holds: ['TM-1.1', 'TM-3.8', 'TM-4.11'],
  },
  {
    name: 'a store that holds something already',
    breakage: breakListing(() => (listing) => ({
      async list(filter, page) {
        const { tasks, ...rest } = await listing.list(filter, page)
        const foreign = {
          taskId: freshTaskId(),
          type: 'foreign',
          typeVersion: 1,
          status: 'waiting',
          version: 1,
          queue: 'default',
          labels: [],
        } as const
        return { ...rest, tasks: [...tasks, { ...foreign, createdAt: 1, createdOn: 'foreign', updatedAt: 1, attempt: 0 }] }
      },
    })),
    fails: ['TM-1.1', 'TM-1.6', 'TM-4.11'],
    holds: ['TM-1.4', 'TM-3.1'],
  },
  {
    name: 'a store that knows every task',
    breakage: breakStore(() => (store) => ({
      async read(taskId, options) {
        const history = await store.read(taskId, options)
        return history.length > 0 || (options?.afterVersion ?? 0) > 0 ? history : [createdEvent(taskId)]
      },
    })),
    fails: ['TM-1.2'],
    holds: ['TM-1.1', 'TM-1.4'],
  },
  {
    name: 'a store that hides what it cannot decode',
    breakage: breakStore(() => (store) => ({
      read: (taskId, options) =>
        store.read(taskId, options).catch((error: unknown) => {
          if (codeOf(error) === 'MALFORMED') return []
          throw error
        }),
    })),
    fails: ['TM-3.27'],
    holds: ['TM-1.4', 'TM-1.9', 'TM-3.25'],
  },
]

/** Stores that change what is written. */
const forgetful: readonly BrokenAdapters[] = [
  {
    name: 'a store that drops the code of errors',
    breakage: rewriting((event) =>
      'error' in event && event.error !== undefined ? { ...event, error: without('code')(event.error) } : event,
    ),
    fails: ['TM-1.5', 'TM-3.22', 'TM-3.24', 'TM-4.4', 'TM-4.7'],
    holds: ['TM-1.4', 'TM-4.2'],
  },
  {
    name: 'a store that drops what was last reported',
    breakage: rewriting(without('progress')),
    fails: ['TM-1.12', 'TM-1.13', 'TM-1.14', 'TM-2.6', 'TM-4.3', 'TM-5.9'],
    holds: ['TM-1.11', 'TM-3.18'],
  },
  {
    name: 'a store that drops results',
    breakage: rewriting(without('result')),
    fails: ['TM-1.4', 'TM-1.8', 'TM-1.9', 'TM-2.7', 'TM-3.1', 'TM-3.10', 'TM-3.11', 'TM-3.13', 'TM-4.5', 'TM-4.13', 'TM-5.11'],
    holds: ['TM-1.1', 'TM-2.1', 'TM-5.2'],
  },
  {
    name: 'a store that drops reasons',
    breakage: rewriting(without('reason')),
    fails: ['TM-2.1', 'TM-2.3', 'TM-2.5'],
    holds: ['TM-2.2', 'TM-3.3'],
  },
  {
    name: 'a store that drops who it was',
    breakage: rewriting((event) => ('by' in event ? { ...event, by: 'nobody' } : event)),
    fails: ['TM-2.1', 'TM-3.3'],
    holds: ['TM-2.2', 'TM-2.4'],
  },
  {
    name: 'a store that names another node',
    breakage: rewriting((event) => ({ ...event, node: 'nobody' })),
    fails: ['TM-1.1', 'TM-1.3', 'TM-1.4', 'TM-1.15', 'TM-3.1', 'TM-3.3', 'TM-3.18', 'TM-3.20', 'TM-3.22'],
    holds: ['TM-1.5', 'TM-2.1'],
  },
  {
    name: 'a store that normalises text',
    breakage: rewriting((event) => JSON.parse(JSON.stringify(event).normalize('NFC')) as TaskEvent),
    fails: ['TM-1.4'],
    holds: ['TM-1.1', 'TM-1.5'],
  },
  {
    name: 'a store that forgets when a task is due',
    breakage: rewriting((event) =>
      event.type === 'TaskFailed' && event.retryAt !== undefined ? { ...event, retryAt: event.at } : without('notBefore')(event),
    ),
    fails: ['TM-4.1', 'TM-4.6'],
    holds: ['TM-4.2', 'TM-4.3'],
  },
  {
    name: 'a store that allows one attempt more',
    breakage: rewriting((event) =>
      event.type === 'TaskCreated' ? { ...event, retry: { ...event.retry, maxAttempts: event.retry.maxAttempts + 1 } } : event,
    ),
    fails: ['TM-4.2', 'TM-4.4'],
    holds: ['TM-4.1', 'TM-4.7'],
  },
  {
    name: 'a store that allows no second attempt',
    breakage: rewriting((event) => (event.type === 'TaskCreated' ? { ...event, retry: { ...event.retry, maxAttempts: 1 } } : event)),
    fails: ['TM-4.1', 'TM-4.2', 'TM-4.3'],
    holds: ['TM-1.5', 'TM-3.18'],
  },
  {
    name: 'a store that forgets time-outs',
    breakage: rewriting(without('timeoutMs')),
    fails: ['TM-4.4'],
    holds: ['TM-1.4'],
  },
  {
    name: 'a store that forgets labels',
    breakage: rewriting((event) => (event.type === 'TaskCreated' ? { ...event, labels: [] } : event)),
    fails: ['TM-1.1', 'TM-4.13'],
    holds: ['TM-1.4'],
  },
  {
    name: 'a store that forgets that a body was abandoned',
    breakage: rewriting(without('abandoned')),
    fails: ['TM-2.6'],
    holds: ['TM-2.7'],
  },
  {
    name: 'a store that takes every payload for one of version 1',
    breakage: rewriting((event) => (event.type === 'TaskCreated' ? { ...event, task: { ...event.task, version: 1 } } : event)),
    fails: ['TM-3.23'],
    holds: ['TM-1.4', 'TM-3.21'],
  },
]

const listings: readonly BrokenAdapters[] = [
  {
    name: 'a listing in which the last save wins, and some come late',
    breakage: breakListing(() => (listing) => ({
      async save(details) {
        const save = async (): Promise<void> => {
          await listing.remove(details)
          await listing.save(details)
        }
        if (details.version % 2 === 1) return save()
        // The client may be closed by then.
        void sleep(20)
          .then(save)
          .catch(() => {})
      },
    })),
    fails: ['TM-1.6', 'TM-3.17', 'TM-5.2'],
    holds: ['TM-1.1', 'TM-1.4'],
  },
  {
    name: 'a listing that saves a moment later',
    breakage: breakListing(() => (listing) => ({
      async save(details) {
        void sleep(20)
          .then(() => listing.save(details))
          .catch(() => {})
      },
    })),
    fails: ['TM-1.1', 'TM-1.15', 'TM-2.3', 'TM-3.17'],
    holds: ['TM-1.4', 'TM-1.6', 'TM-3.6'],
  },
  {
    name: 'a listing that keeps what was first saved',
    breakage: breakListing(() => {
      const saved = new Set<TaskId>()
      return (listing) => ({
        async save(details, options) {
          if (saved.has(details.taskId)) return
          saved.add(details.taskId)
          return listing.save(details, options)
        },
      })
    }),
    fails: ['TM-1.6', 'TM-1.12', 'TM-2.3', 'TM-2.6', 'TM-3.6', 'TM-3.9', 'TM-3.17'],
    holds: ['TM-1.1', 'TM-1.4'],
  },
  {
    name: 'a listing of each client’s own',
    breakage: breakListing(() => (listing) => {
      const rows = new Map<TaskId, TaskDetails>()
      return {
        async save(details) {
          rows.set(details.taskId, details)
          return listing.save(details)
        },
        list: async (filter, page) => {
          const { tasks, ...rest } = await listing.list(filter, page)
          return { ...rest, tasks: tasks.filter(({ taskId }) => rows.has(taskId)) }
        },
      }
    }),
    fails: ['TM-1.11', 'TM-1.12', 'TM-1.15', 'TM-3.6', 'TM-3.17', 'TM-5.2'],
    holds: ['TM-1.1', 'TM-1.6'],
  },
  {
    name: 'a listing without progress',
    breakage: breakListing(() => () => ({ saveProgress: async () => {}, progress: async () => undefined })),
    fails: ['TM-1.10', 'TM-1.11', 'TM-3.18', 'TM-5.7', 'TM-5.8', 'TM-5.9'],
    holds: ['TM-1.12', 'TM-1.14', 'TM-4.3'],
  },
  {
    name: 'a listing whose first progress wins',
    breakage: breakListing(() => {
      const first = new Map<TaskId, TaskProgress>()
      return (listing) => ({
        async saveProgress(taskId, progress, options) {
          if (first.has(taskId)) return
          first.set(taskId, progress)
          await listing.saveProgress(taskId, progress, options)
        },
      })
    }),
    fails: ['TM-1.11', 'TM-3.18', 'TM-5.9'],
    holds: ['TM-1.10', 'TM-1.12'],
  },
  {
    name: 'a listing whose cursor counts rows',
    breakage: breakListing(() => (listing) => ({
      async list(filter, { limit, cursor }) {
        const from = cursor === undefined ? 0 : Number(atob(cursor))
        const { tasks } = await listing.list(filter, { limit: 1_000 })
        const next = from + limit < tasks.length ? { cursor: btoa(String(from + limit)) } : {}
        return { tasks: tasks.slice(from, from + limit), ...next }
      },
    })),
    fails: ['TM-4.12'],
    holds: ['TM-1.6', 'TM-3.6'],
  },
  {
    name: 'a listing that ignores the filter by status',
    breakage: breakListing(() => (listing) => ({ list: (filter, page) => listing.list(without('statuses')(filter), page) })),
    fails: ['TM-1.6', 'TM-1.15', 'TM-2.3', 'TM-3.17', 'TM-4.12'],
    holds: ['TM-1.1', 'TM-3.6'],
  },
  {
    name: 'a listing in the order of ids',
    breakage: breakListing(() => (listing) => ({
      async list(filter, page) {
        const { tasks, ...rest } = await listing.list(filter, page)
        return { ...rest, tasks: [...tasks].sort((a, b) => (a.taskId < b.taskId ? -1 : 1)) }
      },
    })),
    fails: ['TM-4.12'],
    holds: ['TM-1.6', 'TM-3.6'],
  },
  {
    name: 'a registry that nobody leaves',
    breakage: breakNodes({ leave: async () => {} }),
    fails: ['TM-3.8', 'TM-3.29'],
    holds: ['TM-1.18'],
  },
  {
    name: 'a registry in which nobody is alive',
    breakage: breakNodes({ live: async () => [] }),
    fails: ['TM-3.8', 'TM-3.28', 'TM-3.29'],
    holds: ['TM-1.4', 'TM-3.16'],
  },
]

const queues: readonly BrokenAdapters[] = [
  {
    name: 'a queue that delivers twice (which is allowed)',
    breakage: deliverTwice,
    fails: [],
    holds: ['TM-1.4', 'TM-1.7', 'TM-2.9', 'TM-3.16', 'TM-4.1', 'TM-5.1', 'TM-5.2'],
  },
  {
    name: 'a queue that loses every tenth message',
    breakage: sending(async (queue, name, message, count) => {
      if (count % 10 !== 0) await queue.send(name, message)
    }),
    fails: ['TM-3.15', 'TM-3.21', 'TM-4.13', 'TM-5.2', 'TM-5.6'],
    holds: ['TM-1.4', 'TM-2.1', 'TM-3.1'],
  },
  {
    name: 'a queue that carries only what carries its task',
    breakage: sending(async (queue, name, message) => {
      if (message.created !== undefined) await queue.send(name, message)
    }),
    fails: ['TM-3.18', 'TM-3.20', 'TM-4.1', 'TM-4.2', 'TM-4.3', 'TM-4.4', 'TM-5.8'],
    holds: ['TM-1.4', 'TM-2.1', 'TM-5.2'],
  },
  {
    name: 'a queue that is one queue for each client',
    breakage: breakQueue(() => {
      let clients = 0
      return (queue) => {
        const own = `client-${clients++}`
        return {
          send: (name, message, options) => queue.send(`${own}/${name}`, message, options),
          consume: (name, handler, options) => queue.consume(`${own}/${name}`, handler, options),
        }
      }
    }),
    fails: ['TM-1.15', 'TM-1.16', 'TM-1.17', 'TM-1.18', 'TM-3.1', 'TM-3.16', 'TM-3.20', 'TM-5.12'],
    holds: ['TM-1.4', 'TM-2.1'],
  },
  {
    name: 'a queue that is serial for each client only',
    breakage: breakQueue(() => (queue) => ({
      consume: (name, handler, options) => queue.consume(name, handler, { ...options, mode: 'parallel' }),
    })),
    fails: ['TM-3.16', 'TM-3.17'],
    holds: ['TM-1.7', 'TM-3.5'],
  },
  {
    name: 'a queue that ignores slots',
    breakage: breakQueue(() => (queue) => ({
      consume: (name, handler, options) => queue.consume(name, handler, { ...options, slots: 1_000 }),
    })),
    fails: ['TM-1.3', 'TM-1.7', 'TM-1.16', 'TM-1.17', 'TM-2.3', 'TM-3.5'],
    holds: ['TM-1.4', 'TM-3.1'],
  },
  {
    name: 'a queue that has one slot for each client',
    breakage: breakQueue(() => (queue) => ({
      consume: (name, handler, options) => queue.consume(name, handler, { ...options, slots: 1 }),
    })),
    fails: ['TM-1.16', 'TM-2.7', 'TM-3.5', 'TM-3.19'],
    holds: ['TM-1.4', 'TM-1.7', 'TM-3.16'],
  },
  {
    name: 'a queue whose slot is free when a delivery is accepted',
    breakage: breakQueue(() => (queue) => ({
      consume: (name, handler, options) =>
        queue.consume(
          name,
          (delivery) =>
            new Promise((resolve) => {
              const accept = async (): Promise<void> => resolve(await delivery.accept())
              const { message, redelivered, releases } = delivery
              const rest = {
                message,
                redelivered,
                releases,
                release: delivery.release.bind(delivery),
                reject: delivery.reject.bind(delivery),
              }
              void handler({ ...rest, accept }).then(resolve)
            }),
          options,
        ),
    })),
    fails: ['TM-1.3', 'TM-1.7', 'TM-1.17', 'TM-2.3', 'TM-3.5', 'TM-3.16', 'TM-3.17'],
    holds: ['TM-1.4', 'TM-3.1'],
  },
  {
    name: 'a queue that hands the newest out first',
    breakage: breakQueue(() => {
      const held: WorkMessage[] = []
      return (queue) => ({
        async send(name, message) {
          held.push(message)
          if (held.length > 1) return
          void sleep(100)
            .then(() =>
              Promise.all(
                held
                  .splice(0)
                  .reverse()
                  .map((each) => queue.send(name, each)),
              ),
            )
            .catch(() => {})
        },
      })
    }),
    fails: ['TM-1.7'],
    holds: ['TM-1.4', 'TM-3.1'],
  },
  {
    name: 'a queue that drops what is released',
    breakage: delivering((delivery) => ({ release: () => delivery.accept() })),
    fails: ['TM-3.21', 'TM-3.22', 'TM-3.23', 'TM-3.24'],
    holds: ['TM-1.4', 'TM-3.18', 'TM-3.26'],
  },
  {
    name: 'a queue that forgets how often a message was released',
    breakage: delivering(() => ({ releases: 0 })),
    fails: ['TM-3.22', 'TM-3.24'],
    holds: ['TM-3.1', 'TM-3.21', 'TM-3.23'],
  },
  {
    name: 'a queue that stops at what it cannot decode',
    breakage: breakQueue(({ injected }) => (queue) => ({
      consume: (name, handler, options) =>
        queue.consume(name, async (delivery) => (injected.has('queue') ? delivery.accept() : handler(delivery)), options),
    })),
    fails: ['TM-3.25'],
    holds: ['TM-3.1', 'TM-3.26'],
  },
]

const buses: readonly BrokenAdapters[] = [
  {
    name: 'a bus that carries nothing',
    breakage: bus(() => false),
    fails: ['TM-1.4', 'TM-1.8', 'TM-2.1', 'TM-2.4', 'TM-2.8', 'TM-3.3', 'TM-3.7', 'TM-3.10', 'TM-3.11', 'TM-3.15'],
    holds: ['TM-1.1', 'TM-3.8', 'TM-4.11', 'TM-5.4'],
  },
  {
    name: 'a bus that carries everything twice',
    breakage: breakBus(() => (port) => ({
      async publish(notices, options) {
        await port.publish([...notices, ...notices], options)
      },
    })),
    fails: ['TM-3.7'],
    holds: ['TM-1.4', 'TM-2.1', 'TM-3.10', 'TM-3.15'],
  },
  {
    name: 'a bus that does not leave the node',
    breakage: bus(({ node }, own) => own.has(node)),
    fails: ['TM-1.15', 'TM-3.1', 'TM-3.3', 'TM-3.7', 'TM-3.10', 'TM-3.11', 'TM-3.12', 'TM-3.15'],
    holds: ['TM-1.4', 'TM-2.1', 'TM-3.13'],
  },
  {
    name: 'a bus that leaves out the sender',
    breakage: bus(({ node }, own) => !own.has(node)),
    fails: ['TM-1.8', 'TM-2.1', 'TM-2.2', 'TM-2.9', 'TM-3.7', 'TM-3.10', 'TM-6.10'],
    holds: ['TM-3.1', 'TM-3.3'],
  },
  {
    name: 'a bus that carries no wishes',
    breakage: bus(({ type }) => type !== 'TaskCancelRequested'),
    fails: ['TM-2.1', 'TM-2.2', 'TM-2.6', 'TM-2.7', 'TM-2.10', 'TM-2.11', 'TM-3.2', 'TM-3.3', 'TM-3.25', 'TM-5.12'],
    holds: ['TM-2.3', 'TM-2.4', 'TM-3.4', 'TM-3.10'],
  },
  {
    name: 'a bus that carries no progress',
    breakage: bus(({ type }) => type !== 'TaskProgress'),
    fails: ['TM-1.10'],
    holds: ['TM-1.11', 'TM-1.12'],
  },
  {
    name: 'a bus that stops at what it cannot decode',
    breakage: breakBus(({ injected }) => (port) => ({
      subscribe: (listener) =>
        port.subscribe((notice) => {
          if (!injected.has('bus')) listener(notice)
        }),
    })),
    fails: ['TM-3.25'],
    holds: ['TM-3.3', 'TM-3.10'],
  },
]

export const brokenAdapters: readonly BrokenAdapters[] = [...stores, ...forgetful, ...listings, ...queues, ...buses]
