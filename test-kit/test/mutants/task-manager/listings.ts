import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskDetails, TaskId, TaskProgress } from '@taskledger/core/ports'
import type { Mutant } from './broken-harness.ts'
import { stateless } from './broken-harness.ts'
import { without } from './without.ts'

/** Saves a moment later. The client may be closed by then. */
const saveLate = (save: () => Promise<void>): void => {
  void sleep(20)
    .then(save)
    .catch(() => {})
}

export const listings: readonly Mutant[] = [
  {
    name: 'a listing in which the last save wins, and some come late',
    breakage:
      () =>
      ({ storage }) => ({
        async 'listing.save'(next, details) {
          const save = async (): Promise<void> => {
            await storage.listing.remove(details)
            await next(details)
          }
          if (details.version % 2 === 1) return save()
          saveLate(save)
        },
      }),
    fails: ['TM-1.6', 'TM-3.17', 'TM-5.2'],
    holds: ['TM-1.1', 'TM-1.4'],
  },
  {
    name: 'a listing that saves a moment later',
    breakage: stateless({
      async 'listing.save'(next, details) {
        saveLate(() => next(details))
      },
    }),
    fails: ['TM-1.1', 'TM-1.15', 'TM-2.3', 'TM-3.17'],
    holds: ['TM-1.4', 'TM-1.6', 'TM-3.6'],
  },
  {
    name: 'a listing that keeps the first save',
    breakage: () => {
      const saved = new Set<TaskId>()
      return () => ({
        async 'listing.save'(next, details, options) {
          if (saved.has(details.taskId)) return
          saved.add(details.taskId)
          return next(details, options)
        },
      })
    },
    fails: ['TM-1.6', 'TM-1.12', 'TM-2.3', 'TM-2.6', 'TM-3.6', 'TM-3.9', 'TM-3.17'],
    holds: ['TM-1.1', 'TM-1.4'],
  },
  {
    name: 'a listing for each client',
    breakage: () => () => {
      const rows = new Map<TaskId, TaskDetails>()
      return {
        async 'listing.save'(next, details) {
          rows.set(details.taskId, details)
          return next(details)
        },
        async 'listing.list'(next, filter, page) {
          const { tasks, ...rest } = await next(filter, page)
          return { ...rest, tasks: tasks.filter(({ taskId }) => rows.has(taskId)) }
        },
      }
    },
    fails: ['TM-1.11', 'TM-1.12', 'TM-1.15', 'TM-3.6', 'TM-3.17', 'TM-5.2'],
    holds: ['TM-1.1', 'TM-1.6'],
  },
  {
    name: 'a listing without progress',
    breakage: stateless({ 'listing.saveProgress': async () => {}, 'listing.progress': async () => undefined }),
    fails: ['TM-1.10', 'TM-1.11', 'TM-3.18', 'TM-5.7', 'TM-5.8', 'TM-5.9'],
    holds: ['TM-1.12', 'TM-1.14', 'TM-4.3'],
  },
  {
    name: 'a listing that keeps the first progress',
    breakage: () => {
      const first = new Map<TaskId, TaskProgress>()
      return () => ({
        async 'listing.saveProgress'(next, task, progress, options) {
          if (first.has(task.taskId)) return
          first.set(task.taskId, progress)
          await next(task, progress, options)
        },
      })
    },
    fails: ['TM-1.11', 'TM-3.18', 'TM-5.9'],
    holds: ['TM-1.10', 'TM-1.12'],
  },
  {
    name: 'a listing whose cursor counts rows',
    breakage: stateless({
      async 'listing.list'(next, filter, { limit, cursor }) {
        const from = cursor === undefined ? 0 : Number(atob(cursor))
        const { tasks } = await next(filter, { limit: 1_000 })
        const rest = from + limit < tasks.length ? { cursor: btoa(String(from + limit)) } : {}
        return { tasks: tasks.slice(from, from + limit), ...rest }
      },
    }),
    fails: ['TM-4.12'],
    holds: ['TM-1.6', 'TM-3.6'],
  },
  {
    name: 'a listing that ignores the filter by status',
    breakage: stateless({ 'listing.list': (next, filter, page) => next(without('statuses')(filter), page) }),
    fails: ['TM-1.6', 'TM-1.15', 'TM-2.3', 'TM-3.17', 'TM-4.12'],
    holds: ['TM-1.1', 'TM-3.6'],
  },
  {
    name: 'a listing in the order of ids',
    breakage: stateless({
      async 'listing.list'(next, filter, page) {
        const { tasks, ...rest } = await next(filter, page)
        return { ...rest, tasks: [...tasks].sort((a, b) => (a.taskId < b.taskId ? -1 : 1)) }
      },
    }),
    fails: ['TM-4.12'],
    holds: ['TM-1.6', 'TM-3.6'],
  },
  {
    name: 'a registry that no node can leave',
    breakage: stateless({ 'nodes.leave': async () => {} }),
    fails: ['TM-3.8', 'TM-3.29'],
    holds: ['TM-1.18'],
  },
  {
    name: 'a registry in which no node is alive',
    breakage: stateless({ 'nodes.live': async () => [] }),
    fails: ['TM-3.8', 'TM-3.28', 'TM-3.29'],
    holds: ['TM-1.4', 'TM-3.16'],
  },
]
