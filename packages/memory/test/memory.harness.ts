import type { EventBus, EventStore, NodeRegistry, TaskId, TaskListing, WorkQueue } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import type { Memory } from '@taskledger/memory'
import { createMemory } from '@taskledger/memory'
import type { Harness } from '@taskledger/test-kit'
import { MemoryTaskListing, spoilProgress, spoilRow } from '../src/storage/task-listing.ts'
import { MemoryWorkQueue } from '../src/messaging/work-queue.ts'
import { CountedTasks } from './counted-tasks.ts'

// Without faults: memory has no connection to cut and no engine to restart.

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

// Silent, because the rules make handlers and listeners throw.
const emptyMemory = (): Memory => createMemory({ logger: silentLogger })

export const eventStoreHarness: Harness<EventStore> = {
  name: 'memory',
  open: async () => {
    const memory = emptyMemory()
    return {
      port: memory.storage().events,
      peer: async () => memory.storage().events,
      inject: async (bytes, taskId) => memory.faults.injectEvent(taskId as TaskId, textOf(bytes)),
      inspect: () => memory.inspect(),
    }
  },
}

export const taskListingHarness: Harness<TaskListing> = {
  name: 'memory',
  open: async () => {
    const memory = emptyMemory()
    return {
      port: memory.storage().listing,
      peer: async () => memory.storage().listing,
      inject: async (bytes, taskId) => memory.faults.injectRow(taskId as TaskId, textOf(bytes)),
      injectProgress: async (bytes, taskId) => memory.faults.injectProgress(taskId as TaskId, textOf(bytes)),
      inspect: () => memory.inspect(),
    }
  },
}

/** A listing that counts the rows that it reads, which TL-2.5 needs. */
export const countedListingHarness: Harness<TaskListing> = {
  name: 'memory, counted',
  open: async () => {
    const counted = new CountedTasks()
    return {
      port: new MemoryTaskListing(counted.tasks),
      peer: async () => new MemoryTaskListing(counted.tasks),
      rowsRead: () => counted.rowsRead,
      inject: async (bytes, taskId) => spoilRow(counted.tasks, taskId as TaskId, textOf(bytes)),
      injectProgress: async (bytes, taskId) => spoilProgress(counted.tasks, taskId as TaskId, textOf(bytes)),
      inspect: () => ({ listed: counted.tasks.rows.size }),
    }
  },
}

export const nodeRegistryHarness: Harness<NodeRegistry> = {
  name: 'memory',
  open: async () => {
    const memory = emptyMemory()
    return {
      port: memory.storage().nodes,
      peer: async () => memory.storage().nodes,
      inject: async (bytes, nodeId) => memory.faults.injectNode(nodeId, textOf(bytes)),
      inspect: () => memory.inspect(),
    }
  },
}

export const workQueueHarness: Harness<WorkQueue> = {
  name: 'memory',
  open: async () => {
    const memory = emptyMemory()
    const killers = new Map<WorkQueue, () => void>()
    const openClient = (): WorkQueue => {
      const client = memory.messaging()
      killers.set(client.queue, () => memory.faults.kill(client))
      return client.queue
    }
    return {
      port: openClient(),
      peer: async () => openClient(),
      inject: async (bytes, queue) => memory.faults.injectMessage(queue, textOf(bytes)),
      kill: async (client) => killers.get(client)?.(),
      stallClient: async (client) => {
        const goOn = client instanceof MemoryWorkQueue ? client.standStill() : () => {}
        return async () => goOn()
      },
      inspect: () => memory.inspect(),
    }
  },
}

export const eventBusHarness: Harness<EventBus> = {
  name: 'memory',
  open: async () => {
    const memory = emptyMemory()
    return {
      port: memory.messaging().bus,
      peer: async () => memory.messaging().bus,
      inject: async (bytes) => memory.faults.injectNotice(textOf(bytes)),
      inspect: () => memory.inspect(),
    }
  },
}
