/**
 * For tests: of your own tasks, of adapters, and of the rules of the domain.
 *
 * @packageDocumentation
 */

// Test a task.
export { runTask } from './run-task.ts'
export type { RunTaskOptions, TaskRunReport } from './run-task.ts'
export { testManager } from './test-manager.ts'
export type { TestManager, TestManagerOptions } from './test-manager.ts'
export { virtualClock } from './virtual-clock.ts'
export type { VirtualClock } from './virtual-clock.ts'

// Test what works on histories.
export { firstEventIdOf } from '../application/commands/first-event-id.ts'
export type { FirstEvent } from '../application/commands/first-event-id.ts'
export { checkHistory } from './check-history.ts'
export type { CheckHistoryOptions } from './check-history.ts'
export { given } from './given-when-then.ts'
export type { CommandDraft, EventDraft, GivenHistory, WhenCommand } from './given-when-then.ts'
export type { CommandRefusal } from '../domain/decide.ts'

// Draw cases that a seed repeats.
export { seededRandom } from './seeded-random.ts'
