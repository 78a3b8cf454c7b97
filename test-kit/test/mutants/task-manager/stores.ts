import type { TaskEvent, TaskId } from '@taskledger/core/ports'
import { codeOf, hasCode } from '@taskledger/core/ports'
import type { CallHandlers } from '@taskledger/test-kit/faults'
import { createdEvent, freshTaskId } from '../../../src/contracts/sample-data.ts'
import type { Mutant } from './broken-harness.ts'
import { stateless } from './broken-harness.ts'
import { deliverTwice } from './queues.ts'

const blindAppends: CallHandlers = {
  async 'events.append'(next, taskId, expectedVersion, events) {
    for (let version = expectedVersion; ;) {
      try {
        return await next(
          taskId,
          version,
          events.map((event, index) => ({ ...event, version: version + index + 1 })),
        )
      } catch (error) {
        if (!hasCode(error, 'VERSION_CONFLICT')) throw error
        version = error.actualVersion
      }
    }
  },
}

/** How long a stale answer is given, in milliseconds. */
const staleMs = 1_000

export const stores: readonly Mutant[] = [
  {
    name: 'a store that appends at any version',
    breakage: stateless(blindAppends),
    fails: ['TM-2.3', 'TM-2.5', 'TM-2.10', 'TM-2.11', 'TM-3.26', 'TM-4.8', 'TM-4.9', 'TM-5.4', 'TM-5.5', 'TM-5.7'],
    holds: ['TM-1.4', 'TM-2.1', 'TM-3.1'],
  },
  {
    name: 'a store that appends at any version, with a queue that delivers twice',
    breakage: stateless({ ...blindAppends, ...deliverTwice }),
    fails: ['TM-1.4', 'TM-1.7', 'TM-2.4', 'TM-3.5', 'TM-5.1', 'TM-5.2'],
    holds: ['TM-1.1', 'TM-1.2', 'TM-4.11'],
  },
  {
    name: 'a store that adds a repeated append once more',
    breakage:
      () =>
      ({ storage }) => ({
        async 'events.append'(next, taskId, expectedVersion, events, options) {
          const history = await storage.events.read(taskId)
          const isRepeated = events.some(({ eventId }) => history.some((stored) => stored.eventId === eventId))
          const version = isRepeated ? history.length : expectedVersion
          const repeated = events.map((event, index) => ({ ...event, version: version + index + 1, eventId: `${event.eventId} again` }))
          await next(taskId, version, isRepeated ? repeated : events, options)
        },
      }),
    fails: ['TM-4.10', 'TM-5.3', 'TM-5.10'],
    holds: ['TM-1.4', 'TM-2.9', 'TM-5.1', 'TM-5.11'],
  },
  {
    name: 'a store whose answers are a second old',
    breakage: () => {
      const seen = new Map<TaskId, { readonly at: number; readonly history: readonly TaskEvent[] }>()
      return () => ({
        async 'events.read'(next, taskId, options) {
          const known = seen.get(taskId)
          if (known !== undefined && Date.now() - known.at < staleMs) return known.history.slice(options?.afterVersion ?? 0)
          const history = await next(taskId)
          seen.set(taskId, { at: Date.now(), history })
          return history.slice(options?.afterVersion ?? 0)
        },
      })
    },
    fails: ['TM-1.3', 'TM-3.2', 'TM-3.4', 'TM-3.14', 'TM-5.12'],
    holds: ['TM-1.1', 'TM-3.8', 'TM-4.11'],
  },
  {
    name: 'a store that is not empty at first',
    breakage: stateless({
      async 'listing.list'(next, filter, page) {
        const { tasks, ...rest } = await next(filter, page)
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
    }),
    fails: ['TM-1.1', 'TM-1.6', 'TM-4.11'],
    holds: ['TM-1.4', 'TM-3.1'],
  },
  {
    name: 'a store that knows every task',
    breakage: stateless({
      async 'events.read'(next, taskId, options) {
        const history = await next(taskId, options)
        return history.length > 0 || (options?.afterVersion ?? 0) > 0 ? history : [createdEvent(taskId)]
      },
    }),
    fails: ['TM-1.2'],
    holds: ['TM-1.1', 'TM-1.4'],
  },
  {
    name: 'a store that hides what it cannot decode',
    breakage: stateless({
      'events.read': (next, taskId, options) =>
        next(taskId, options).catch((error: unknown) => {
          if (codeOf(error) === 'MALFORMED') return []
          throw error
        }),
    }),
    fails: ['TM-3.27'],
    holds: ['TM-1.4', 'TM-1.9', 'TM-3.25'],
  },
]
