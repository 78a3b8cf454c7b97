import type { RetryBackoff, RetryPolicy } from '../domain/retry-policy.ts'
import { defaultRetryPolicy } from '../domain/retry-policy.ts'
import type { ChecksOf } from '../ports/shared/check-options.ts'
import { objectOf } from '../ports/shared/check-options.ts'
import { checkPattern, checkText, checkWhole, hasMethods, wrongOption } from '../ports/shared/checks.ts'
import type { TaskDeclaration } from './task-factory.ts'

/** The parts of a retry policy that differ from the default one. */
export interface RetryOptions {
  /** How many attempts may fail, the first one included. Default 1: a failure is final. */
  readonly maxAttempts?: number | undefined
  /** How many crashes of its node a task survives. Default 3. */
  readonly maxCrashes?: number | undefined
  /** The delay between runs. Default: 1 second, doubled for each further run up to 60 seconds, with a jitter of 0.2. */
  readonly backoff?: { readonly [Property in keyof RetryBackoff]?: RetryBackoff[Property] | undefined } | undefined
}

const maxTypeCharacters = 200
const maxRuns = 1_000_000
const maxFactor = 1_000

/** A year: a longer time is a mistake in the unit. */
const maxTimeMs = 365 * 24 * 60 * 60 * 1_000

/** Control characters, and halves of surrogate pairs, which engines cannot keep as text. */
const unkeepable = /[\p{Cc}\p{Cs}]/u

/** What every engine takes as the name of a queue. */
const queueName = /^[A-Za-z0-9_.:/-]{1,100}$/

/** The properties of a declaration that are stored with each task. */
export type DeclaredProperties = Pick<TaskDeclaration, 'type' | 'version' | 'queue' | 'retry' | 'timeoutMs'>

/**
 * The properties of a task, checked and copied: it may be hand-written, or a changed copy of a defined one.
 *
 * @throws `MISUSE`, which names the property and what it may be.
 */
export const propertiesOfTask = (task: unknown): DeclaredProperties => {
  if (!hasMethods(task, ['encode']))
    throw wrongOption('a task', task, 'what defineTask or declareTask returns, or a TaskFactory of your own')
  return checkDeclaration(task as TaskDeclaration)
}

/**
 * The properties of a declaration, checked and copied.
 *
 * @throws `MISUSE`, which names the property and what it may be.
 */
export const checkDeclaration = ({ type, version, queue, retry, timeoutMs }: DeclaredProperties): DeclaredProperties => {
  const task = `the task type "${checkType(type)}"`
  return {
    type,
    version: checkWhole(`${task}: version`, version, 1, maxRuns),
    queue: checkQueueName(`${task}: queue`, queue),
    retry: checkRetry(`${task}: retry`, retry),
    ...(timeoutMs === undefined ? {} : { timeoutMs: checkTimeout(`${task}: timeoutMs`, timeoutMs) }),
  }
}

/** @throws `MISUSE` if an engine could not give a queue this name. */
export const checkQueueName = (what: string, name: unknown): string =>
  checkPattern(what, name, queueName, '1 to 100 letters, digits or _ . : / -')

const checkType = (type: unknown): string => {
  const text = checkText('the type of a task', type, maxTypeCharacters)
  if (unkeepable.test(text) || text.trim() !== text)
    throw wrongOption('the type of a task', type, 'a text without control characters, and without a space at its ends')
  return text
}

const checkTimeout = (what: string, value: unknown): number => {
  if (!(isWithin(value, 0, maxTimeMs) && value > 0))
    throw wrongOption(what, value, `milliseconds, more than 0 and at most ${maxTimeMs} (365 days)`)
  return value
}

/** A whole policy, of which nothing is missing. */
const checkRetry = (what: string, retry: unknown): RetryPolicy => {
  if (!isObject(retry) || !isObject(retry['backoff'])) throw wrongOption(what, retry, 'a whole retry policy')
  const { maxAttempts, maxCrashes, backoff } = retry
  const initialMs = checkNumber(`${what}.backoff.initialMs`, backoff['initialMs'], 0, maxTimeMs)
  return {
    maxAttempts: checkWhole(`${what}.maxAttempts`, maxAttempts, 1, maxRuns),
    maxCrashes: checkWhole(`${what}.maxCrashes`, maxCrashes, 0, maxRuns),
    backoff: {
      initialMs,
      factor: checkNumber(`${what}.backoff.factor`, backoff['factor'], 1, maxFactor),
      maxMs: checkNumber(`${what}.backoff.maxMs`, backoff['maxMs'], initialMs, maxTimeMs),
      jitter: checkNumber(`${what}.backoff.jitter`, backoff['jitter'], 0, 1),
    },
  }
}

const checkNumber = (what: string, value: unknown, min: number, max: number): number => {
  if (!isWithin(value, min, max)) throw wrongOption(what, value, `a number, ${min} to ${max}`)
  // JSON does not know minus zero.
  return value + 0
}

/** The bounds are checked with the whole policy. */
const asGiven = (_name: string, value: unknown): number => value as number

const checkRetryOptions = objectOf({
  maxAttempts: asGiven,
  maxCrashes: asGiven,
  backoff: objectOf({ initialMs: asGiven, factor: asGiven, maxMs: asGiven, jitter: asGiven } satisfies ChecksOf<RetryBackoff>, {
    delay: 'did you mean initialMs?',
    type: 'a backoff is exponential: give factor 1 for the same delay each time',
  }),
} satisfies ChecksOf<RetryOptions>)

/**
 * The policy that the options ask for; the default policy has what they leave out.
 *
 * @throws `MISUSE` if an option has a wrong name. The values are checked with the declaration.
 */
export const retryPolicyOf = (what: string, options: RetryOptions = {}): RetryPolicy => {
  const {
    maxAttempts = defaultRetryPolicy.maxAttempts,
    maxCrashes = defaultRetryPolicy.maxCrashes,
    backoff,
  } = checkRetryOptions(what, options)
  const defaults = defaultRetryPolicy.backoff
  const { initialMs = defaults.initialMs, factor = defaults.factor, jitter = defaults.jitter } = backoff ?? {}
  // A first delay above the default maximum raises the maximum.
  const { maxMs = Math.max(defaults.maxMs, initialMs) } = backoff ?? {}
  return { maxAttempts, maxCrashes, backoff: { initialMs, factor, maxMs, jitter } }
}

const isWithin = (value: unknown, min: number, max: number): value is number => typeof value === 'number' && value >= min && value <= max

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null
