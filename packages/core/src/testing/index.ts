/**
 * For tests: of your own tasks, of adapters, and of the rules of the domain.
 *
 * @packageDocumentation
 */
export * from './check-history.ts'
export * from './given-when-then.ts'
export * from './run-task.ts'
export * from './seeded-random.ts'
export * from './test-manager.ts'
export * from './virtual-clock.ts'
