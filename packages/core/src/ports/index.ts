/**
 * What an adapter implements, with all that it needs from the domain.
 *
 * @packageDocumentation
 */
export * from '../domain/index.ts'
export * from './bundles.ts'
export * from './call-options.ts'
export * from './capabilities.ts'
export * from './checks.ts'
export * from './clock.ts'
export * from './errors.ts'
export * from './event-bus.ts'
export * from './event-store.ts'
export * from './listing-cursor.ts'
export * from './logger.ts'
export * from './node-registry.ts'
export * from './on-abort.ts'
export * from './shard.ts'
export * from './task-listing.ts'
export * from './work-queue.ts'
export * from './within.ts'
