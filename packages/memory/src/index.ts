/**
 * Every port of Taskledger in memory: what a task manager works on unless it is given something else, and what an author of
 * another adapter reads first.
 *
 * @packageDocumentation
 */
export { createMemory, memoryMessaging, memoryStorage } from './memory.ts'
export type { Memory, MemoryContents, MemoryFaults, MemoryOptions, QueueContents } from './memory.ts'
export type { DeadLetter } from './messaging/queued-message.ts'
