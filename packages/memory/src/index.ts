/**
 * Every port of Taskledger in memory: the default of the task manager, and the reference for authors of adapters.
 *
 * @packageDocumentation
 */
export { createMemory, memoryMessaging, memoryStorage } from './memory.ts'
export type { Memory, MemoryContents, MemoryFaults, MemoryOptions, QueueContents } from './memory.ts'
