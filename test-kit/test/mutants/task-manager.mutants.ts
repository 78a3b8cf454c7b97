import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskDetails, TaskEvent, TaskId, TaskProgress } from '@taskledger/core/ports'
import { isVersionConflict, outcomeUnknown } from '@taskledger/core/ports'
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
  rewritingRows,
  sending,
} from './task-manager.broken.ts'

const blindAppends: Breakage = breakStore(() => (store) => ({
  async append(taskId, expectedVersion, events) {
    for (let version = expectedVersion; ; ) {
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

const sendTwice: Breakage = sending(async (queue, name, message) => {
  await queue.send(name, message)
  await queue.send(name, message)
})

const without =
  <Field extends string>(...fields: readonly Field[]) =>
  <T extends object>(value: T): T =>
    Object.fromEntries(Object.entries(value).filter(([key]) => !fields.includes(key as Field))) as T

export const breakages: Readonly<Record<string, Breakage>> = {
  none: () => (client) => client,
  'a store that appends whatever the version': blindAppends,
  'a store that appends whatever the version, and a queue that delivers twice': both(blindAppends, sendTwice),
  'a queue that delivers twice': sendTwice,
  'a store that adds a repeated append once more': breakStore(() => (store) => ({
    append: async (taskId, expectedVersion, events, options) => {
      const history = await store.read(taskId)
      const isRepeated = events.some(({ eventId }) => history.some((stored) => stored.eventId === eventId))
      const version = isRepeated ? history.length : expectedVersion
      await store.append(
        taskId,
        version,
        events.map((event, index) => (isRepeated ? { ...event, version: version + index + 1, eventId: `${event.eventId}!` } : event)),
        options,
      )
    },
  })),
  'a store whose reads are a moment old': breakStore(() => {
    const seen = new Map<TaskId, { readonly at: number; readonly history: readonly TaskEvent[] }>()
    return (store) => ({
      async read(taskId, options) {
        const known = seen.get(taskId)
        if (known !== undefined && Date.now() - known.at < 500) return known.history.slice(options?.afterVersion ?? 0)
        const history = await store.read(taskId)
        seen.set(taskId, { at: Date.now(), history })
        return history.slice(options?.afterVersion ?? 0)
      },
    })
  }),
  'a bus that carries nothing': bus(() => false),
  'a bus that does not leave the node': bus(({ node }, own) => own.has(node)),
  'a bus that leaves out the sender': bus(({ node }, own) => !own.has(node)),
  'a bus that loses every other notice': bus(
    (
      (count = 0) =>
      () =>
        count++ % 2 === 0
    )(),
  ),
  'a bus that carries no wishes': bus(({ type }) => type !== 'TaskCancelRequested'),
  'a bus that carries no progress': bus(({ type }) => type !== 'TaskProgress'),
  'a bus that dies of what it cannot decode': breakBus(() => (port) => ({ subscribe: (listener) => port.subscribe(listener) })),
  'a listing in which the last save wins, and some come late': breakListing(() => {
    const late: Promise<void>[] = []
    return (listing) => ({
      async save(details) {
        const save = async (): Promise<void> => {
          await listing.remove(details)
          await listing.save(details)
        }
        if (details.version % 2 === 1) return save()
        late.push(sleep(20).then(save, () => {}))
      },
    })
  }),
  'a listing that saves a moment later': breakListing(() => (listing) => ({
    async save(details) {
      void sleep(20).then(() => listing.save(details).catch(() => {}))
    },
  })),
  'a listing that keeps what was first saved': breakListing(() => {
    const saved = new Set<TaskId>()
    return (listing) => ({
      async save(details, options) {
        if (saved.has(details.taskId)) return
        saved.add(details.taskId)
        return listing.save(details, options)
      },
    })
  }),
  'a listing of each client’s own': breakListing(() => {
    return (listing) => {
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
    }
  }),
  'a listing without progress': breakListing(() => () => ({ saveProgress: async () => {}, progress: async () => undefined })),
  'a listing whose first progress wins': breakListing(() => {
    const first = new Map<TaskId, TaskProgress>()
    return (listing) => ({
      async saveProgress(taskId, progress, options) {
        if (first.has(taskId)) return
        first.set(taskId, progress)
        await listing.saveProgress(taskId, progress, options)
      },
    })
  }),
  'a listing whose cursor counts rows': breakListing(() => (listing) => ({
    async list(filter, { limit, cursor }) {
      const from = cursor === undefined ? 0 : Number(atob(cursor))
      const { tasks } = await listing.list(filter, { limit: 1_000 })
      const page = tasks.slice(from, from + limit)
      return { tasks: page, ...(from + limit < tasks.length ? { cursor: btoa(String(from + limit)) } : {}) }
    },
  })),
  'a listing that ignores the filter by status': breakListing(() => (listing) => ({
    list: (filter, page) => listing.list(without('statuses')(filter), page),
  })),
  'a listing that ignores the filter by label': breakListing(() => (listing) => ({
    list: (filter, page) => listing.list(without('label')(filter), page),
  })),
  'a listing in the order of ids': breakListing(() => (listing) => ({
    async list(filter, page) {
      const { tasks, ...rest } = await listing.list(filter, page)
      return { ...rest, tasks: [...tasks].sort((a, b) => (a.taskId < b.taskId ? -1 : 1)) }
    },
  })),
  'a queue that loses every tenth message': sending(
    (
      (count = 0) =>
      async (queue, name, message) => {
        if (++count % 10 !== 0) await queue.send(name, message)
      }
    )(),
  ),
  'a queue that sends only what carries its task': sending(async (queue, name, message) => {
    if (message.created !== undefined) await queue.send(name, message)
  }),
  'a queue that is serial for each client only': breakQueue(() => (queue) => ({
    consume: (name, handler, options) => queue.consume(name, handler, { ...options, mode: 'parallel' }),
  })),
  'a queue that ignores slots': breakQueue(() => (queue) => ({
    consume: (name, handler, options) => queue.consume(name, handler, { ...options, slots: 1_000 }),
  })),
  'a queue that has one slot for each client': breakQueue(() => (queue) => ({
    consume: (name, handler, options) => queue.consume(name, handler, { ...options, slots: 1 }),
  })),
  'a queue that hands the newest out first': breakQueue(() => {
    const stacks = new Map<string, Parameters<typeof push>[1][]>()
    const push = (name: string, message: Parameters<Parameters<typeof sending>[0]>[2]): void => {
      stacks.set(name, [...(stacks.get(name) ?? []), message])
    }
    return (queue) => ({
      async send(name, message) {
        push(name, message)
        await sleep(10)
        const next = stacks.get(name)?.pop()
        if (next !== undefined) await queue.send(name, next)
      },
    })
  }),
  'a queue that cannot be paused': breakQueue(() => (queue) => ({
    async consume(name, handler, options) {
      const consumer = await queue.consume(name, handler, options)
      return { resize: () => {}, close: () => consumer.close() }
    },
  })),
  'a queue whose consumer does not wait for its handlers': breakQueue(() => (queue) => ({
    async consume(name, handler, options) {
      const consumer = await queue.consume(name, handler, options)
      return {
        resize: (slots) => consumer.resize(slots),
        async close() {
          void consumer.close()
        },
      }
    },
  })),
  'a queue that drops what is released': delivering((delivery) => ({ release: () => delivery.accept() })),
  'a queue that forgets how often it was released': delivering(() => ({ releases: 0 })),
  'a queue that is one queue for each client': breakQueue(() => {
    let clients = 0
    return (queue) => {
      const own = `client-${clients++}`
      return {
        send: (name, message, options) => queue.send(`${own}/${name}`, message, options),
        consume: (name, handler, options) => queue.consume(`${own}/${name}`, handler, options),
      }
    }
  }),
  'a queue that stops at what it cannot decode': breakQueue(() => {
    let isDead = false
    return (queue) => ({
      consume: (name, handler, options) =>
        queue.consume(
          name,
          async (delivery) => {
            isDead ||= delivery.releases > 0
            if (isDead) await delivery.accept()
            else await handler(delivery)
          },
          options,
        ),
    })
  }),
  'a queue that frees the slot when a delivery is accepted': breakQueue(() => (queue) => ({
    consume: (name, handler, options) =>
      queue.consume(
        name,
        async (delivery) => {
          await Promise.race([handler(delivery), new Promise<void>((resolve) => setTimeout(resolve, 50))])
          await delivery.accept()
        },
        options,
      ),
  })),
  'a registry that nobody leaves': breakNodes,
  'a store that drops the code of errors': rewriting((event) =>
    'error' in event && event.error !== undefined ? { ...event, error: without('code')(event.error) } : event,
  ),
  'a store that drops what was last reported': rewriting(without('progress')),
  'a store that drops results': rewriting(without('result')),
  'a store that drops reasons': rewriting(without('reason')),
  'a store that drops who it was': rewriting((event) => ('by' in event ? { ...event, by: 'somebody else' } : event)),
  'a store that normalises text': rewriting((event) => JSON.parse(JSON.stringify(event).normalize('NFC')) as TaskEvent),
  'a store that forgets when a task is due': rewriting((event) =>
    event.type === 'TaskFailed' && event.retryAt !== undefined ? { ...event, retryAt: event.at } : without('notBefore')(event),
  ),
  'a store that allows one attempt more': rewriting((event) =>
    event.type === 'TaskCreated' ? { ...event, retry: { ...event.retry, maxAttempts: event.retry.maxAttempts + 1 } } : event,
  ),
  'a store that allows no second attempt': rewriting((event) =>
    event.type === 'TaskCreated' ? { ...event, retry: { ...event.retry, maxAttempts: 1 } } : event,
  ),
  'a store that forgets time-outs': rewriting(without('timeoutMs')),
  'a store that forgets labels': rewriting((event) => (event.type === 'TaskCreated' ? { ...event, labels: [] } : event)),
  'a store that forgets that a body was abandoned': rewriting(without('abandoned')),
  'a store that takes every payload for one of version 1': rewriting((event) =>
    event.type === 'TaskCreated' ? { ...event, task: { ...event.task, version: 1 } } : event,
  ),
  'a store that names another node': rewriting((event) => ({ ...event, node: 'nobody' })),
  'a store that knows every task': breakStore(() => (store) => ({
    async read(taskId, options) {
      const history = await store.read(taskId, options)
      if (history.length > 0 || (options?.afterVersion ?? 0) > 0) return history
      const known = { eventId: 'made up', at: 1, node: 'made up', taskId, version: 1, type: 'TaskCreated' } as const
      const retry = { maxAttempts: 1, maxCrashes: 1, backoff: { initialMs: 1, factor: 1, maxMs: 1, jitter: 0 } }
      return [{ ...known, task: { type: 'echo', version: 1, payload: 1 }, queue: 'default', labels: [], retry }]
    },
  })),
  'a store that hides what it cannot decode': breakStore(() => (store) => ({
    read: (taskId, options) => store.read(taskId, options).catch(() => []),
  })),
  'a store whose calls go on after close': breakStore(() => () => ({})),
  'a store whose appends are all of unknown outcome': breakStore(() => (store) => ({
    async append(taskId, expectedVersion, events) {
      await store.append(taskId, expectedVersion, events)
      throw outcomeUnknown('the append')
    },
  })),
  'rows without labels': rewritingRows((details) => ({ ...details, labels: [] })),
}
