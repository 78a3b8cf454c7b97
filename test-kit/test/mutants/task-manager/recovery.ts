import type { NodeInfo } from '@taskledger/core/ports'
import type { Breakage, Mutant } from './broken-harness.ts'
import { stateless } from './broken-harness.ts'

const neverGone: Breakage = () => {
  const known = new Map<string, NodeInfo>()
  return () => ({
    'nodes.renew': (next, node, ttlMs) => {
      known.set(node.nodeId, node)
      return next(node, ttlMs)
    },
    'nodes.live': async (next) => {
      await next()
      return [...known.values()]
    },
  })
}

/** Broken adapters that only recovery notices. Its rules take seconds, so their deadlines are longer. */
export const recoveryMutants: readonly Mutant[] = [
  {
    name: 'a registry from which no node vanishes',
    breakage: neverGone,
    fails: ['TM-6.2', 'TM-6.3', 'TM-6.6', 'TM-6.7'],
    holds: ['TM-6.5', 'TM-6.8', 'TM-6.10'],
    deadlineMs: 8_000,
  },
  {
    name: 'a listing without unfinished tasks',
    breakage: stateless({
      async *'listing.unfinished'() {},
      // The second look of a janitor.
      'listing.list': async (next, filter, options) => {
        const page = await next(filter, options)
        return filter.node === undefined ? page : { ...page, tasks: [] }
      },
    }),
    fails: ['TM-6.1', 'TM-6.2', 'TM-6.4', 'TM-6.6', 'TM-6.7'],
    holds: ['TM-6.5', 'TM-6.9'],
    deadlineMs: 10_000,
  },
  {
    name: 'a queue that is never empty',
    breakage: stateless({ 'queue.depth': async (next, queue) => (await next(queue)) + 1 }),
    fails: ['TM-6.1'],
    holds: ['TM-6.2', 'TM-6.5'],
    deadlineMs: 8_000,
  },
  {
    name: 'a store that reads whole histories only, and no newer events',
    breakage: stateless({
      'events.read': async (next, taskId, options) =>
        options?.afterVersion === undefined || options.afterVersion === 0 ? next(taskId) : [],
    }),
    fails: ['TM-6.5'],
    holds: ['TM-6.8', 'TM-6.9'],
  },
  {
    name: 'a store that names no history',
    breakage: stateless({ async *'events.histories'() {} }),
    fails: ['TM-6.8'],
    holds: ['TM-6.9', 'TM-6.10'],
  },
  {
    name: 'a listing that removes nothing',
    breakage: stateless({ 'listing.remove': async () => {} }),
    fails: ['TM-6.9'],
    holds: ['TM-6.1', 'TM-6.8', 'TM-6.10'],
  },
  {
    name: 'a store that removes nothing',
    breakage: stateless({ 'events.remove': async () => {} }),
    fails: ['TM-6.9'],
    holds: ['TM-6.8', 'TM-6.10'],
  },
]
