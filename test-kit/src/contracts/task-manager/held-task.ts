import type { JsonValue, TaskDefinition, TaskId } from '@taskledger/core'
import { defineTask, unchecked } from '@taskledger/core'
import type { DeclareOptions } from '@taskledger/core'

/** A body that runs until the rule says how it ends. */
export interface HeldRun {
  readonly taskId: TaskId
  readonly attempt: number
  readonly payload: JsonValue
  readonly labels: readonly string[]
  readonly signal: AbortSignal
  readonly lastProgress: unknown
  /** What the body came to, once it did. */
  readonly ended: 'returned' | 'threw' | 'aborted' | undefined
  progress(value: unknown): void
  return(value?: unknown): void
  throw(error: Error): void
}

/** A kind of task whose bodies are held. */
export interface HeldTask {
  readonly task: TaskDefinition<JsonValue>
  /** In the order in which the bodies began. */
  readonly runs: readonly HeldRun[]
  /** The body of that task that runs or ran last. */
  find(taskId: TaskId, attempt?: number): HeldRun | undefined
  /** Ends every body, and those that begin from now on. */
  end(): void
}

export interface HeldOptions extends Omit<DeclareOptions, 'type' | 'payload' | 'result' | 'progress' | 'upcast'> {
  readonly type?: string
  /** Whether its bodies end by themselves when their signal is aborted. Default true. */
  readonly heeds?: boolean
}

export const heldTask = ({ type = 'held', heeds = true, ...options }: HeldOptions = {}): HeldTask => {
  const runs: HeldRun[] = []
  let isOver = false
  const task = defineTask({
    type,
    ...options,
    payload: unchecked<JsonValue>(),
    run: ({ taskId, attempt, payload, labels, signal, lastProgress, progress }) =>
      new Promise<unknown>((resolve, reject) => {
        let ended: HeldRun['ended']
        const end = (how: 'returned' | 'threw' | 'aborted', settle: () => void): void => {
          ended ??= how
          settle()
        }
        runs.push({
          taskId,
          attempt,
          payload,
          labels,
          signal,
          lastProgress,
          progress,
          get ended() {
            return ended
          },
          return: (value) => end('returned', () => resolve(value)),
          throw: (error) => end('threw', () => reject(error)),
        })
        if (isOver) resolve(undefined)
        if (!heeds) return
        const onAbort = (): void => end('aborted', () => reject(signal.reason as Error))
        if (signal.aborted) onAbort()
        else signal.addEventListener('abort', onAbort, { once: true })
      }),
  })
  return {
    task,
    runs,
    find: (taskId, attempt) => runs.findLast((run) => run.taskId === taskId && (attempt === undefined || run.attempt === attempt)),
    end() {
      isOver = true
      for (const run of runs) if (run.ended === undefined) run.return()
    },
  }
}

/** A task that returns its payload. */
export const echoTask: TaskDefinition<JsonValue, JsonValue> = defineTask({
  type: 'echo',
  payload: unchecked<JsonValue>(),
  run: ({ payload }) => payload,
})
