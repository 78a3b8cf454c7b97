import type { ChecksOf, Clock, Logger, TaskMessaging, TaskStorage, TaskId } from '@taskledger/core/ports'
import { checkClock, checkLogger, checkOptions, consoleLogger, misuse, neverThrowing, systemClock } from '@taskledger/core/ports'
import { MemoryEventBus } from './messaging/event-bus.ts'
import { NoticeBoard } from './messaging/notice-board.ts'
import type { Histories } from './storage/event-store.ts'
import { MemoryEventStore } from './storage/event-store.ts'
import type { KnownNodes } from './storage/node-registry.ts'
import { MemoryNodeRegistry, spoilNode } from './storage/node-registry.ts'
import { MemoryTaskListing, noListedTasks, spoilProgress, spoilRow } from './storage/task-listing.ts'
import { MemoryWorkQueue, QueuesByName } from './messaging/work-queue.ts'

/** The options of a memory. */
export interface MemoryOptions {
  /** The clock by which nodes expire and released messages return. Default: the system clock. */
  readonly clock?: Clock | undefined
  /** Receives the errors of handlers and listeners, and of messages that cannot be decoded. Default: warnings and errors go to the console. */
  readonly logger?: Logger | undefined
}

/** The data that an engine would hold. It is gone with this object. */
export interface Memory {
  /** Opens a client of the data. Closing it does not affect other clients. */
  storage(): TaskStorage
  /** Opens a client of the queues and the bus. Closing it does not affect other clients. */
  messaging(): TaskMessaging
  /** Counts everything that the memory holds. */
  inspect(): MemoryContents
  /** Faults for tests. */
  readonly faults: MemoryFaults
}

/** Counts of what a memory holds. */
export interface MemoryContents {
  readonly histories: number
  readonly listed: number
  /** Nodes that are alive, and nodes that expired since the last call of `live`. */
  readonly nodes: number
  /** Listeners of the event bus, for notices and for gaps. */
  readonly listeners: number
  readonly queues: Readonly<Record<string, QueueContents>>
}

/** Counts of what a queue holds. */
export interface QueueContents {
  /** Messages that wait for a free slot. */
  readonly waiting: number
  /** Messages that were released with a delay. */
  readonly delayed: number
  /** Running handlers. */
  readonly running: number
  readonly deadLetters: number
}

/** The faults of a real engine, on purpose. */
export interface MemoryFaults {
  /**
   * Ends a client of `messaging()` as if its process had been killed: its unsettled messages are delivered again, its listeners are
   * not called any more, and its running handlers change nothing.
   */
  kill(client: TaskMessaging): void
  /** Tells every client that it may have missed notices. */
  gap(): void
  /** Adds any text to the end of a task's history. */
  injectEvent(taskId: TaskId, text: string): void
  /** Puts any text in the place of the details of a listed task. */
  injectRow(taskId: TaskId, text: string): void
  /** Puts any text in the place of the latest progress that was reported for a listed task. */
  injectProgress(taskId: TaskId, text: string): void
  /** Puts any text in the place of the entry of a live node. */
  injectNode(nodeId: string, text: string): void
  /** Adds any text to a queue. */
  injectMessage(queue: string, text: string): void
  /** Publishes any text. */
  injectNotice(text: string): void
}

const optionChecks = { clock: checkClock, logger: checkLogger } satisfies ChecksOf<MemoryOptions>

/**
 * Makes an empty memory.
 *
 * @throws `MISUSE` if an option is wrong.
 */
export const createMemory = (options: MemoryOptions = {}): Memory => {
  const { clock = systemClock, ...checked } = checkOptions('createMemory', options, optionChecks)
  const logger = neverThrowing(checked.logger ?? consoleLogger)
  const histories: Histories = new Map()
  const tasks = noListedTasks()
  const known: KnownNodes = new Map()
  const queues = new QueuesByName(clock, logger)
  const board = new NoticeBoard(logger)
  const killers = new WeakMap<TaskMessaging, () => Promise<void>>()

  return {
    storage: () => {
      const events = new MemoryEventStore(histories)
      const listing = new MemoryTaskListing(tasks)
      const nodes = new MemoryNodeRegistry(known, clock)
      return { events, listing, nodes, close: () => closeAll(events, listing, nodes) }
    },
    messaging: () => {
      const queue = new MemoryWorkQueue(queues)
      const bus = new MemoryEventBus(board)
      const client = { queue, bus, close: () => closeAll(queue, bus) }
      killers.set(client, () => {
        queue.vanish()
        return bus.close()
      })
      return client
    },
    inspect: () => ({
      histories: histories.size,
      listed: tasks.rows.size,
      nodes: known.size,
      listeners: board.listeners,
      queues: Object.fromEntries(queues.all.map(({ name, counts }) => [name, counts])),
    }),
    faults: {
      kill: (client) => {
        const kill = killers.get(client)
        if (kill === undefined)
          throw misuse('the client to kill is not a messaging client of this memory: give one that its messaging() returned')
        void kill()
      },
      gap: () => board.gap(),
      injectEvent: (taskId, text) => void histories.set(taskId, [...(histories.get(taskId) ?? []), text]),
      injectRow: (taskId, text) => spoilRow(tasks, taskId, text),
      injectProgress: (taskId, text) => spoilProgress(tasks, taskId, text),
      injectNode: (nodeId, text) => spoilNode(known, nodeId, text),
      injectMessage: (queue, text) => queues.get(queue).messages.add({ body: text, redelivered: false, releases: 0 }),
      injectNotice: (text) => board.publishText(text),
    },
  }
}

/** Makes a storage client with data of its own. */
export const memoryStorage = (options?: MemoryOptions): TaskStorage => createMemory(options).storage()

/** Makes a messaging client with queues and a bus of its own. */
export const memoryMessaging = (options?: MemoryOptions): TaskMessaging => createMemory(options).messaging()

const closeAll = async (...ports: readonly { close(): Promise<void> }[]): Promise<void> => {
  await Promise.all(ports.map((port) => port.close()))
}
