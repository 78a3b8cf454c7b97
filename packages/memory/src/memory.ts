import type { Clock, Logger, TaskMessaging, TaskStorage, TaskId } from '@taskledger/core/ports'
import { misuse, systemClock } from '@taskledger/core/ports'
import { MemoryEventBus } from './messaging/event-bus.ts'
import { NoticeBoard } from './messaging/notice-board.ts'
import type { Histories } from './storage/event-store.ts'
import { MemoryEventStore } from './storage/event-store.ts'
import type { KnownNodes } from './storage/node-registry.ts'
import { MemoryNodeRegistry } from './storage/node-registry.ts'
import { MemoryTaskListing, noListedTasks } from './storage/task-listing.ts'
import { MemoryWorkQueue, QueuesByName } from './messaging/work-queue.ts'
import type { DeadLetter } from './messaging/queued-message.ts'

/** What a memory can be given. */
export interface MemoryOptions {
  /** By what time nodes expire and released messages come back. Default: the clock of the machine. */
  readonly clock?: Clock
  /** Told of handlers and listeners that throw and of messages that cannot be read. Default: `console`. */
  readonly logger?: Logger
}

/** What an engine elsewhere would hold: all data is gone with this object. */
export interface Memory {
  /** Opens a client of its own on the data. Closing it hurts no other. */
  storage(): TaskStorage
  /** Opens a client of its own on the queues and the bus. Closing it hurts no other. */
  messaging(): TaskMessaging
  /** The messages of a queue that nobody could use, in the order in which they were put away. */
  deadLetters(queue: string): readonly DeadLetter[]
  /** How much there is of everything. */
  inspect(): MemoryContents
  /** For tests of what can go wrong. */
  readonly faults: MemoryFaults
}

/** Counts of what a memory holds. */
export interface MemoryContents {
  readonly histories: number
  readonly listed: number
  /** Nodes that are alive, and those that expired since somebody last looked. */
  readonly nodes: number
  /** Listeners on the event bus, for notices and for gaps. */
  readonly listeners: number
  readonly queues: Readonly<Record<string, QueueContents>>
}

/** Counts of what a queue holds. */
export interface QueueContents {
  /** Messages that wait for a free slot. */
  readonly waiting: number
  /** Messages that were released with a delay. */
  readonly delayed: number
  /** Handlers that run. */
  readonly running: number
  readonly deadLetters: number
}

/** What an engine elsewhere suffers now and then, brought about on purpose. */
export interface MemoryFaults {
  /**
   * Makes a client of `messaging()` vanish, as if its process had been killed: what it had not settled is delivered again,
   * its listeners hear nothing more, and whatever its handlers still do changes nothing.
   */
  kill(client: TaskMessaging): void
  /** Tells every client that notices may have been missed. */
  gap(): void
  /** Puts text that no codec wrote at the end of a task's history. */
  injectEvent(taskId: TaskId, text: string): void
  /** Puts text that no codec wrote into a queue. */
  injectMessage(queue: string, text: string): void
  /** Publishes text that no codec wrote. */
  injectNotice(text: string): void
}

/** Makes an empty memory. */
export const createMemory = ({ clock = systemClock, logger = console }: MemoryOptions = {}): Memory => {
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
    deadLetters: (queue) => queues.get(queue).messages.deadLetters,
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
        if (kill === undefined) throw misuse('only a messaging client of this memory can be killed')
        void kill()
      },
      gap: () => board.gap(),
      injectEvent: (taskId, text) => void histories.set(taskId, [...(histories.get(taskId) ?? []), text]),
      injectMessage: (queue, text) => queues.get(queue).messages.add({ body: text, redelivered: false, releases: 0 }),
      injectNotice: (text) => board.publishText(text),
    },
  }
}

/** A storage client on data of its own. */
export const memoryStorage = (options?: MemoryOptions): TaskStorage => createMemory(options).storage()

/** A messaging client on queues and a bus of its own. */
export const memoryMessaging = (options?: MemoryOptions): TaskMessaging => createMemory(options).messaging()

const closeAll = async (...ports: readonly { close(): Promise<void> }[]): Promise<void> => {
  await Promise.all(ports.map((port) => port.close()))
}
