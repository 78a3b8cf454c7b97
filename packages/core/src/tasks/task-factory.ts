import type { JsonValue } from '../domain/json.ts'
import type { RetryPolicy } from '../domain/retry-policy.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { Logger } from '../ports/logger.ts'

/** What a body of a task is given. */
export interface TaskContext<Payload = unknown, Progress = unknown> {
  readonly taskId: TaskId
  /** 1 for the first run, and one more for each further run. With the task id it makes a fencing token for effects outside. */
  readonly attempt: number
  readonly payload: Payload
  /**
   * Aborted where the task should stop: its cancellation was requested, its time is up, or its node shuts down. The reason
   * says which. Heed it: throw (`signal.throwIfAborted()`), or finish quickly.
   */
  readonly signal: AbortSignal
  /**
   * Reports how far the task has come. Cheap: call it as often as you like, only the latest report is kept.
   *
   * @throws `NOT_JSON` or `TOO_LARGE` where the value cannot be kept.
   */
  progress(value: Progress): void
  /** The last progress of the attempt before, where there was one: continue from there. */
  readonly lastProgress: Progress | undefined
  readonly labels: readonly string[]
  /** Adds the task's id, type and attempt to whatever is logged. */
  readonly logger: Logger
}

/**
 * What becomes of a body where its node could not renew its lease, so that others may think it dead and run its task.
 * `abort`: its signal is aborted with `LEASE_LOST`. `finish`: it goes on, and its end counts if nobody was faster.
 */
export type OnLeaseLost = 'abort' | 'finish'

/** A task that can be run: what a factory makes of a stored payload. */
export interface RunnableTask {
  /** What the body is given, where the factory shows it: for tests and tools. */
  readonly payload?: unknown
  /** What becomes of the body where its node loses its lease. Default `abort`. */
  readonly onLeaseLost?: OnLeaseLost
  /** Runs the body. What it resolves to is the result; what it throws is the failure. */
  run(context: Omit<TaskContext, 'payload'>): Promise<unknown>
}

/** What every kind of task says of itself, whether it can be run on this node or only submitted. */
export interface TaskDeclaration {
  /** The name of the kind of task, 1 to 200 characters; part of every history. */
  readonly type: string
  /** The version of the payload's form that `encode` writes: 1, 2, … */
  readonly version: number
  /** The queue that carries its tasks. */
  readonly queue: string
  readonly retry: RetryPolicy
  /** How long one attempt may take, in milliseconds. */
  readonly timeoutMs?: number
  /**
   * Turns what is submitted into what is stored.
   *
   * @throws `INVALID_PAYLOAD` with the schema's issues; `NOT_JSON`.
   */
  encode(payload: unknown): Promise<JsonValue>
}

/**
 * Makes runnable tasks of one type out of stored payloads. `defineTask` makes one; write one by hand where you need another
 * encoding or construction.
 */
export interface TaskFactory extends TaskDeclaration {
  /**
   * Turns what was stored, perhaps by an older version, into a task that can be run.
   *
   * @throws `UNKNOWN_TASK_VERSION` where this node does not know the version; `INVALID_PAYLOAD` where the payload is
   * refused.
   */
  decode(version: number, payload: JsonValue): Promise<RunnableTask>
}

/** Whether the declaration can also be run. */
export const isTaskFactory = (task: TaskDeclaration): task is TaskFactory => 'decode' in task && typeof task.decode === 'function'
