import type { CommandBase, TaskCommand } from '../../domain/task-command.ts'
import type { TaskProgress } from '../../domain/task-event.ts'
import { describeError, isRetryable } from '../../tasks/describe-error.ts'
import { defaultMaxResultBytes, toJson } from '../../tasks/to-json.ts'
import { hasCode } from '../node/error-codes.ts'
import { TaskAborted } from '../node/errors.ts'

/** How the body of a task ended, or that it went on past its grace period. */
export type Ending =
  | { readonly type: 'returned'; readonly value: unknown }
  | { readonly type: 'threw'; readonly thrown: unknown }
  | { readonly type: 'abandoned' }

/** The facts about an attempt that has ended. */
export interface EndedAttempt {
  readonly attempt: number
  /** Why the signal of the body was aborted; `undefined` if it was not. */
  readonly aborted: TaskAborted | undefined
  readonly progress: TaskProgress | undefined
  /** Whether an attempt that is released counts as a crash. */
  readonly isCrash: boolean
}

/** The command that settles an attempt; `undefined` if another node has ended it. `random` draws the jitter of a retry, in [0, 1). */
export const conclusionOf = (
  ending: Ending,
  { attempt, aborted, progress, isCrash }: EndedAttempt,
  commandBase: CommandBase,
  random: () => number,
): TaskCommand | undefined => {
  const base = { ...commandBase, attempt, ...(progress === undefined ? {} : { progress }) }
  const failed = (thrown: unknown, retryable: boolean): TaskCommand => ({
    type: 'FailTask',
    ...base,
    error: describeError(thrown),
    retryable,
    random: random(),
  })
  if (ending.type === 'returned') {
    if (ending.value === undefined) return { type: 'CompleteTask', ...base }
    try {
      return { type: 'CompleteTask', ...base, result: toJson(ending.value, 'result', defaultMaxResultBytes) }
    } catch (error) {
      return failed(error, false)
    }
  }
  switch (aborted?.code) {
    case 'CANCEL_REQUESTED': {
      if (ending.type === 'abandoned') return { type: 'CancelTask', ...base, abandoned: true }
      const error = describeError(ending.thrown)
      const isOwnError = ending.thrown !== aborted && error.name !== 'AbortError'
      return { type: 'CancelTask', ...base, ...(isOwnError ? { error } : {}) }
    }
    case 'TIMED_OUT':
      // An abandoned body may still be running: a retry would run beside it.
      return ending.type === 'abandoned'
        ? failed(new TaskAborted('TIMED_OUT', `${aborted.message}, and the body ignored its signal: it may still run`), false)
        : failed(aborted, true)
    case 'LEASE_LOST':
      if (isCrash) return { type: 'ReleaseTask', ...base, reason: 'leaseLost' }
      return { type: 'ReleaseTask', ...commandBase, attempt }
    case 'SHUTTING_DOWN':
      // The worker has saved the progress: the release carries none.
      return { type: 'ReleaseTask', ...commandBase, attempt }
    case 'ATTEMPT_LOST':
      return undefined
    default:
      return ending.type === 'threw'
        ? failed(ending.thrown, isRetryable(ending.thrown) && !hasCode(ending.thrown, 'INVALID_RESULT'))
        : undefined
  }
}
