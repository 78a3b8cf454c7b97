import type { TaskId } from '../../domain/task-id.ts'
import { isTaskId } from '../../domain/task-id.ts'
import type { CallOptions } from '../../ports/call-options.ts'
import type { CheckedOptions, ChecksOf, OptionHints } from '../../ports/shared/check-options.ts'
import { checkOptions } from '../../ports/shared/check-options.ts'
import { checkMs, checkText, wrongOption } from '../../ports/shared/checks.ts'
import type { Clock } from '../../ports/shared/clock.ts'
import { misuse } from '../../ports/shared/errors.ts'
import { callChecks } from '../node/checks.ts'
import { timeOf } from '../../ports/shared/time.ts'

/** How a task is submitted. */
export interface SubmitOptions extends CallOptions {
  /**
   * Identifies one task of the type for as long as the task is kept: a second submit with the same key returns the first task. 1 to 500
   * characters.
   */
  readonly idempotencyKey?: string | undefined
  /** The task starts at this time or later: a `Date`, milliseconds since 1970, or ISO text with its zone. */
  readonly notBefore?: Date | number | string | undefined
  /** The task starts this long after the call of `submit` or later, in milliseconds. Not together with `notBefore`. */
  readonly delayMs?: number | undefined
  /** Labels to list the task by: at most 32, each of 1 to 200 characters. */
  readonly labels?: readonly string[] | undefined
  /** The id of the task that this one retries. Kept with the task, and without effect on it. */
  readonly retryOf?: TaskId | undefined
}

const maxLabels = 32

/** @returns the labels, each once. */
export const checkLabels = (name: string, value: unknown): readonly string[] => {
  if (!Array.isArray(value)) throw wrongOption(name, value, `a list of at most ${maxLabels} texts`)
  const labels = new Set<string>()
  for (const label of value as readonly unknown[]) {
    labels.add(checkText('a label', label, 200))
    if (labels.size > maxLabels) throw misuse(`${name} has ${value.length} entries: give ${maxLabels} at most`)
  }
  return [...labels]
}

const checkTaskId = (name: string, value: unknown): TaskId => {
  if (!isTaskId(value)) throw wrongOption(name, value, 'the id of a task: a UUID in lower case, as submit returns it')
  return value
}

const submitChecks = {
  ...callChecks,
  idempotencyKey: (name, value) => checkText(name, value, 500),
  notBefore: timeOf,
  delayMs: checkMs,
  labels: checkLabels,
  retryOf: checkTaskId,
} satisfies ChecksOf<SubmitOptions>

const ofTheTask = 'it belongs to the task: give it to defineTask'

const hints: OptionHints = {
  priority: 'priorities are not supported: give urgent tasks a queue of their own (queue of defineTask)',
  retry: ofTheTask,
  attempts: 'it belongs to the task: give retry.maxAttempts to defineTask',
  backoff: 'it belongs to the task: give retry.backoff to defineTask',
  timeout: 'it belongs to the task: give timeoutMs to defineTask',
  timeoutMs: ofTheTask,
  queue: ofTheTask,
  version: ofTheTask,
  removeOnComplete: 'finished tasks are kept: give retention to createTaskManager',
  removeOnFail: 'finished tasks are kept: give retention to createTaskManager',
  repeat: 'a task runs once: submit another one for each run',
  cron: 'a task runs once: submit another one for each run',
}

/** The options of a submit, checked and copied. */
export type CheckedSubmit = CheckedOptions<typeof submitChecks>

/** @throws `MISUSE` if an option of `submit` is wrong. */
export const submitOptions = (options: SubmitOptions): CheckedSubmit => checkStart(checkOptions('submit', options, submitChecks, hints))

/** @throws `MISUSE` if an option of `submitMany` is wrong. */
export const submitManyOptions = (options: Omit<SubmitOptions, 'idempotencyKey'>): CheckedSubmit => {
  const { idempotencyKey: _one, ...checks } = submitChecks
  const oneKey = 'one key is one task: submit each task by itself, with its own key'
  return checkStart({ ...checkOptions('submitMany', options, checks, { ...hints, idempotencyKey: oneKey }), idempotencyKey: undefined })
}

const checkStart = (options: CheckedSubmit): CheckedSubmit => {
  if (options.delayMs !== undefined && options.notBefore !== undefined)
    throw misuse('notBefore and delayMs are both given: give one of them')
  return options
}

/** The earliest start, in milliseconds since 1970; `undefined`: at once. */
export const startOf = ({ notBefore, delayMs }: CheckedSubmit, clock: Clock): number | undefined => {
  if (delayMs === undefined) return notBefore
  return delayMs === 0 ? undefined : Math.ceil(clock.now() + delayMs)
}
