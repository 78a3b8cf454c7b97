import type { NodeInfo } from '@taskledger/core/ports'
import { breakListing, breakQueue, breakStore } from './task-manager.broken.ts'
import type { Breakage } from './task-manager.broken.ts'
import type { BrokenAdapters } from './task-manager.mutants.ts'

/** A registry from which nobody vanishes. */
const neverGone: Breakage = () => {
  const known = new Map<string, NodeInfo>()
  return (client) => {
    const { nodes } = client.storage
    const kept = {
      capabilities: nodes.capabilities,
      async renew(node: NodeInfo, ttlMs: number): Promise<void> {
        known.set(node.nodeId, node)
        await nodes.renew(node, ttlMs)
      },
      leave: (nodeId: string) => nodes.leave(nodeId),
      async live(): Promise<readonly NodeInfo[]> {
        await nodes.live()
        return [...known.values()]
      },
      close: () => nodes.close(),
    }
    return { ...client, storage: { ...client.storage, nodes: kept, close: () => client.storage.close() } }
  }
}

/** What is broken about adapters that only recovery relies on. Its rules take seconds, so these are given more. */
export const recoveryMutants: readonly BrokenAdapters[] = [
  {
    name: 'a registry from which nobody vanishes',
    breakage: neverGone,
    fails: ['TM-6.2', 'TM-6.3', 'TM-6.6', 'TM-6.7'],
    holds: ['TM-6.5', 'TM-6.8', 'TM-6.10'],
    deadlineMs: 8_000,
  },
  {
    name: 'a listing that gives nothing as unfinished',
    breakage: breakListing(() => () => ({ async *unfinished() {} })),
    fails: ['TM-6.1', 'TM-6.2', 'TM-6.4', 'TM-6.6', 'TM-6.7'],
    holds: ['TM-6.5', 'TM-6.9'],
    deadlineMs: 10_000,
  },
  {
    name: 'a queue that is never empty',
    breakage: breakQueue(() => (queue) => ({ depth: async (name) => (await queue.depth(name)) + 1 })),
    fails: ['TM-6.1'],
    holds: ['TM-6.2', 'TM-6.5'],
    deadlineMs: 8_000,
  },
  {
    name: 'a store that gives only whole histories, and nothing to whoever asks what is new',
    breakage: breakStore(() => (store) => ({
      read: async (taskId, options) => (options?.afterVersion === undefined || options.afterVersion === 0 ? store.read(taskId) : []),
    })),
    fails: ['TM-6.5'],
    holds: ['TM-6.8', 'TM-6.9'],
  },
  {
    name: 'a store that names no history',
    breakage: breakStore(() => () => ({ async *histories() {} })),
    fails: ['TM-6.8'],
    holds: ['TM-6.9', 'TM-6.10'],
  },
  {
    name: 'a listing that removes nothing',
    breakage: breakListing(() => () => ({ remove: async () => {} })),
    fails: ['TM-6.9'],
    holds: ['TM-6.1', 'TM-6.8', 'TM-6.10'],
  },
  {
    name: 'a store that removes nothing',
    breakage: breakStore(() => () => ({ remove: async () => {} })),
    fails: ['TM-6.9'],
    holds: ['TM-6.8', 'TM-6.10'],
  },
]
