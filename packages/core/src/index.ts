/**
 * Long tasks on a cluster of Node.js processes: any node submits, lists, queries, cancels and awaits any task.
 *
 * @packageDocumentation
 */

// Use it.
export * from './application/index.ts'

// Write a task.
export * from './tasks/index.ts'

// Write an adapter: `@taskledger/core/ports` and `@taskledger/core/codec` have the rest of it.
export * from './ports/index.ts'
