import type { JsonValue } from '../domain/json.ts'
import type { RetryPolicy } from '../domain/retry-policy.ts'
import type { TaskId } from '../domain/task-id.ts'
import type { Logger } from '../ports/shared/logger.ts'

/** What a body receives. */
export interface TaskContext<Payload = unknown, Progress = unknown> {
  readonly taskId: TaskId
  /** 1 for the first run, 2 for the second, and so on. It begins at 1 again if the task was removed and its idempotency key is used again. */
  readonly attempt: number
  /**
   * The fencing token of this run: a whole number that grows with each run of the task id, also after the task was removed and its
   * idempotency key is used again. Give it to the systems outside, so that they refuse a run with a lower token.
   */
  readonly fence: number
  readonly payload: Payload
  /**
   * Aborted when the body has to stop: a cancellation was requested, the time is up, or the node shuts down. The reason says which
   * (`isTaskAborted`). React to it: throw (`signal.throwIfAborted()`), or finish quickly.
   */
  readonly signal: AbortSignal
  /**
   * Reports progress. It is cheap: call it as often as you like. Only the latest report is kept.
   *
   * @throws `NOT_JSON` or `TOO_LARGE` if the value cannot be stored.
   */
  progress(value: Progress): void
  /** The last progress of the attempt before, to continue from; `undefined` if there is none. */
  readonly lastProgress: Progress | undefined
  readonly labels: readonly string[]
  /** Adds the task's id, type and attempt to every log line. */
  readonly logger: Logger
}

/**
 * What happens to a body when its node has lost its lease, so that other nodes may declare it dead and run the task. `abort`: the signal is
 * aborted with `LEASE_LOST`. `finish`: the body goes on, and its end counts unless another node was faster.
 */
export type OnLeaseLost = 'abort' | 'finish'

/** A task that is ready to run. A factory makes it from a stored payload. */
export interface RunnableTask {
  /** The payload that the body receives, if the factory shows it: for tests and tools. */
  readonly payload?: unknown
  /** What happens to the body when its node loses its lease. Default `abort`. */
  readonly onLeaseLost?: OnLeaseLost
  /** Runs the body. The resolved value is the result; a thrown value is the failure. */
  run(context: Omit<TaskContext, 'payload'>): Promise<unknown>
}

/** A kind of task, whether this node can run it or only submit it. */
export interface TaskDeclaration {
  /** The name of the kind of task, 1 to 200 characters; part of every history. */
  readonly type: string
  /** The version of the payloads that `encode` writes: 1, 2, … */
  readonly version: number
  /** The queue that carries its tasks. */
  readonly queue: string
  readonly retry: RetryPolicy
  /** How long one attempt may take, in milliseconds. */
  readonly timeoutMs?: number
  /**
   * Turns a submitted payload into the stored payload, of at most `maxBytes` bytes of JSON (`maxPayloadBytes` of the manager). Stop reading
   * the payload at the limit: a value that is small in memory can be huge as JSON.
   *
   * @throws `INVALID_PAYLOAD` with the schema's issues; `NOT_JSON`; `TOO_LARGE`.
   */
  encode(payload: unknown, limits?: { readonly maxBytes: number }): Promise<JsonValue>
  /**
   * Turns a stored payload, of this or an older version, back into a payload as `submit` takes it: for `payload()` of a handle, and to compare
   * the payloads of an idempotency key across versions. Default: what `decode` shows as the payload, or else the stored payload.
   *
   * @throws `UNKNOWN_TASK_VERSION` if the version is not known; `INVALID_PAYLOAD` if the payload is refused.
   */
  restore?(version: number, payload: JsonValue): Promise<unknown>
}

/**
 * Makes runnable tasks of one type from stored payloads. `defineTask` returns a factory. Write a factory by hand if you need another encoding
 * or construction.
 */
export interface TaskFactory extends TaskDeclaration {
  /**
   * Turns a stored payload, of this or an older version, into a task that is ready to run.
   *
   * @throws `UNKNOWN_TASK_VERSION` if this node does not know the version; `INVALID_PAYLOAD` if the payload is refused.
   */
  decode(version: number, payload: JsonValue): Promise<RunnableTask>
}

/** Whether the declaration can also run tasks. */
export const isTaskFactory = (task: TaskDeclaration): task is TaskFactory => 'decode' in task && typeof task.decode === 'function'
