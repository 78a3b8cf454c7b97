/**
 * What an adapter implements, with all that it needs from the domain.
 *
 * @packageDocumentation
 */

// The ports.
export type { TaskMessaging, TaskStorage } from './bundles.ts'
export type { AppendOptions, EventStore, ReadOptions, RemoveOptions } from './event-store.ts'
export type { PageRequest, TaskFilter, TaskListing, TaskPage, TaskShard, UnfinishedOptions, UnreadableRow } from './task-listing.ts'
export type { NodeInfo, NodeRegistry, UnreadableNode } from './node-registry.ts'
export type { ConsumeMode, ConsumeOptions, Consumer, DeadLetter, Delivery, ReleaseOptions, WorkMessage, WorkQueue } from './work-queue.ts'
export type { EventBus, TaskNotice, Unsubscribe } from './event-bus.ts'
export type {
  Durability,
  EventBusCapabilities,
  EventStoreCapabilities,
  NodeRegistryCapabilities,
  TaskListingCapabilities,
  WorkQueueCapabilities,
} from './capabilities.ts'
export type { CallOptions } from './call-options.ts'
export type { CancelSchedule, Clock } from './shared/clock.ts'
export type { Logger } from './shared/logger.ts'

// What they fail with.
export {
  closedError,
  codeOf,
  hasCode,
  isMisuse,
  misconfigured,
  misuse,
  MisuseError,
  outcomeUnknown,
  TaskledgerError,
  unavailable,
} from './shared/errors.ts'
export { UnknownEventType, VersionConflict } from './shared/errors.ts'
export type { PortErrorByCode, PortErrorCode } from './shared/errors.ts'

// What adapters are made of.
export { sleepOn, systemClock } from './shared/clock.ts'
export { consoleLogger, neverThrowing, silentLogger } from './shared/logger.ts'
export { onAbort } from './shared/on-abort.ts'
export { checkTlsOptions, shownCertificate } from './shared/tls-options.ts'
export type { NodeTls, PeerCertificateText, PeerSocket } from './shared/tls-options.ts'
export { tlsRefusalOf } from './shared/tls-refusal.ts'
export type { TlsServer } from './shared/tls-refusal.ts'
export { within } from './shared/within.ts'
export type { WithinOptions } from './shared/within.ts'
export { checkClock, checkFunction, checkLogger, checkMs, checkOneOf, checkPattern } from './shared/checks.ts'
export { checkSignal, checkText, checkWhole, hasMethods, wrongOption } from './shared/checks.ts'
export { checkOptions, objectOf } from './shared/check-options.ts'
export type { CheckedOptions, ChecksOf, OptionCheck, OptionHints } from './shared/check-options.ts'
export { compareListed, decodeCursor, encodeCursor } from './listing-cursor.ts'
export type { ListingPosition } from './listing-cursor.ts'
export { isUnreadableNode } from './node-registry.ts'
export { isUnreadableRow, matches, pageOf } from './task-listing.ts'
export { shardOf } from './shard.ts'

// The domain.
export { cohortOf, isTaskId } from '../domain/task-id.ts'
export type { TaskId } from '../domain/task-id.ts'
export { isFinalStatus, taskStatuses } from '../domain/task-status.ts'
export type { FinalStatus, TaskStatus } from '../domain/task-status.ts'
export { isFinalEvent } from '../domain/task-event.ts'
export type {
  EncodedTask,
  EventBase,
  TaskCancelled,
  TaskCancelRequested,
  TaskCompleted,
  TaskCreated,
  TaskDied,
  TaskError,
  TaskEvent,
  TaskFailed,
  TaskProgress,
  TaskReleased,
  TaskStarted,
} from '../domain/task-event.ts'
export { detailsOf, evolveDetails, isLaterProgress, mergeProgress, waitsSince } from '../domain/task-details.ts'
export type { AttemptError, TaskDetails, TaskLife } from '../domain/task-details.ts'
export { defaultRetryPolicy } from '../domain/retry-policy.ts'
export type { RetryBackoff, RetryPolicy } from '../domain/retry-policy.ts'
export type { JsonObject, JsonValue } from '../domain/json.ts'
