import type { RetryBackoff, RetryPolicy } from '../domain/retry-policy.ts'
import { defaultRetryPolicy } from '../domain/retry-policy.ts'
import { checkPattern, checkText, checkWhole, wrongOption } from '../ports/shared/checks.ts'
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

/**
 * Checks the properties of a declaration, also of a hand-written one.
 *
 * @throws `MISUSE`, which names the property and what it may be.
 */
export const checkDeclaration = ({ type, version, queue, retry, timeoutMs }: Omit<TaskDeclaration, 'encode'>): void => {
  checkType(type)
  const task = `the task type "${type}"`
  checkWhole(`${task}: version`, version, 1, maxRuns)
  checkQueueName(`${task}: queue`, queue)
  if (timeoutMs !== undefined && !(isWithin(timeoutMs, 0, maxTimeMs) && timeoutMs > 0))
    throw wrongOption(`${task}: timeoutMs`, timeoutMs, `milliseconds, more than 0 and at most ${maxTimeMs} (365 days)`)
  checkRetry(`${task}: retry`, retry)
}

/** @throws `MISUSE` if an engine could not give a queue this name. */
export const checkQueueName = (what: string, name: unknown): string =>
  checkPattern(what, name, queueName, '1 to 100 letters, digits or _ . : / -')

const checkType = (type: string): void => {
  checkText('the type of a task', type, maxTypeCharacters)
  if (unkeepable.test(type) || type.trim() !== type)
    throw wrongOption('the type of a task', type, 'a text without control characters, and without a space at its ends')
}

const checkRetry = (what: string, retry: RetryPolicy): void => {
  if (!isObject(retry) || !isObject(retry.backoff)) throw wrongOption(what, retry, 'a whole retry policy')
  checkWhole(`${what}.maxAttempts`, retry.maxAttempts, 1, maxRuns)
  checkWhole(`${what}.maxCrashes`, retry.maxCrashes, 0, maxRuns)
  const { initialMs, factor, maxMs, jitter } = retry.backoff
  const checkNumber = (name: string, value: number, min: number, max: number): void => {
    if (!isWithin(value, min, max)) throw wrongOption(`${what}.backoff.${name}`, value, `a number, ${min} to ${max}`)
  }
  checkNumber('initialMs', initialMs, 0, maxTimeMs)
  checkNumber('factor', factor, 1, maxFactor)
  checkNumber('maxMs', maxMs, initialMs, maxTimeMs)
  checkNumber('jitter', jitter, 0, 1)
}

/** The policy that the options ask for; the default policy has what they leave out. */
export const retryPolicyOf = (options: RetryOptions = {}): RetryPolicy => {
  const { maxAttempts = defaultRetryPolicy.maxAttempts, maxCrashes = defaultRetryPolicy.maxCrashes, backoff = {} } = options
  const defaults = defaultRetryPolicy.backoff
  const { initialMs = defaults.initialMs, factor = defaults.factor, jitter = defaults.jitter } = backoff
  // A first delay above the default maximum raises the maximum.
  const { maxMs = Math.max(defaults.maxMs, initialMs) } = backoff
  return { maxAttempts, maxCrashes, backoff: { initialMs, factor, maxMs, jitter } }
}

const isWithin = (value: unknown, min: number, max: number): boolean => typeof value === 'number' && value >= min && value <= max

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
