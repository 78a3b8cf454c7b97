/**
 * Long tasks on a cluster of Node.js processes: any node submits, lists, queries, cancels and awaits any task.
 *
 * @packageDocumentation
 */

// Make a node.
export { createTaskManager } from './application/create-task-manager.ts'
export type { TaskManagerOptions } from './application/options.ts'
export type { QueueSettings, TaskWorkerOptions, UnknownTaskOptions } from './application/worker/settings.ts'
export type { LeaseOptions } from './application/node/lease.ts'
export type { JanitorOptions, RetentionOptions } from './application/recovery/settings.ts'
export type { TaskMessaging, TaskStorage } from './ports/bundles.ts'
export { silentLogger } from './ports/shared/logger.ts'
export type { Logger } from './ports/shared/logger.ts'

// Submit, list and await tasks.
export type { TaskManager } from './application/task-manager.ts'
export type { SubmittedTask, TaskHandle } from './application/task-handle.ts'
export type { SubmitOptions } from './application/commands/submit-options.ts'
export type { CancelOptions, CancelOutcome } from './application/commands/cancellations.ts'
export type { LiveNode, WaitOptions } from './application/queries/task-queries.ts'
export type { ListQuery, TaskQuery } from './application/queries/list-query.ts'
export type { TaskPage } from './ports/task-listing.ts'
export type { TaskNotice } from './ports/event-bus.ts'
export { taskIdOfKey } from './application/commands/task-ids.ts'

// Read what a task is.
export type { AttemptError, TaskDetails } from './domain/task-details.ts'
export type { TaskError, TaskEvent, TaskProgress } from './domain/task-event.ts'
export { isTaskId } from './domain/task-id.ts'
export type { TaskId } from './domain/task-id.ts'
export { isFinalStatus } from './domain/task-status.ts'
export type { TaskStatus } from './domain/task-status.ts'
export type { JsonValue } from './domain/json.ts'

// Run a node: its worker, its health, repair.
export type { TaskWorker, TaskWorkerStatus } from './application/worker/worker.ts'
export type { NodeHealth } from './application/health/health.ts'
export type { HealthCheck } from './application/health/record.ts'
export type { NodeInfo } from './ports/node-registry.ts'
export type { DeadLetterDetails, DeadLetterKey, DeadLetterQuery, DeadLetters } from './application/recovery/dead-letters.ts'
export type { ApartNode, ApartReason } from './application/membership/peers.ts'
export type {
  DoctorFinding,
  DoctorFindingReason,
  DoctorOptions,
  DoctorReport,
  NodeFinding,
  TaskFinding,
} from './application/recovery/doctor.ts'
export type { PurgeOutcome } from './application/recovery/purging.ts'
export type { RebuildOutcome } from './application/recovery/rebuilding.ts'

// Write a task.
export { declareTask, defineTask, implementTask, unchecked } from './tasks/define-task.ts'
export type { DeclaredTask, DeclareOptions, DefineOptions, TaskDefinition, TaskSchema } from './tasks/task-options.ts'
export type { JsonOf } from './tasks/json-types.ts'
export type { RetryOptions } from './tasks/check-declaration.ts'
export { defaultRetryPolicy } from './domain/retry-policy.ts'
export type { OnLeaseLost, RunnableTask, TaskContext, TaskDeclaration, TaskFactory } from './tasks/task-factory.ts'
export { TaskRegistry, taskRegistry } from './tasks/task-registry.ts'
export type { PayloadArguments, PayloadOf, ProgressOf, ResultOf, TypedTask } from './tasks/typed-task.ts'
export { NonRetryableError } from './tasks/describe-error.ts'

// Tell errors apart.
export { hasCode } from './application/node/error-codes.ts'
export type { ErrorByCode, ErrorCode } from './application/node/error-codes.ts'
export { codeOf, isMisuse, TaskledgerError } from './ports/shared/errors.ts'
export { isTaskAborted, isTaskCancelled, isTaskDied, isTaskFailed } from './application/node/errors.ts'
export type {
  AwaitTimeout,
  DeadLetterNotFound,
  IdempotencyMismatch,
  SubmitIncomplete,
  TaskAborted,
  TaskNotFound,
  TaskUnsuccessful,
  TypeMismatch,
} from './application/node/errors.ts'
export { InvalidValue } from './tasks/validate.ts'
export type { ValidationIssue } from './tasks/validate.ts'
export { UnknownTaskVersion } from './tasks/stored-payload.ts'
