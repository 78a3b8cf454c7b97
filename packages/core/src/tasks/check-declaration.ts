import type { RetryBackoff, RetryPolicy } from '../domain/retry-policy.ts'
import { defaultRetryPolicy } from '../domain/retry-policy.ts'
import { misuse } from '../ports/errors.ts'
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

/** A year: what is longer is a mistake in the unit. */
const maxTimeMs = 365 * 24 * 60 * 60 * 1_000

/** Control characters, and halves of surrogate pairs, which engines cannot keep as text. */
const unkeepable = /[\p{Cc}\p{Cs}]/u

/** What a queue may be called in every engine. */
const queueShape = /^[A-Za-z0-9_.:/-]{1,100}$/

/**
 * Checks what a declaration says of itself, that of a hand-written one too.
 *
 * @throws `MISUSE`, which names the property and what it may be.
 */
export const checkDeclaration = (task: Omit<TaskDeclaration, 'encode'>): void => {
  const { type, version, queue, retry, timeoutMs } = task
  checkType(type)
  const whose = `the task type "${type}"`
  if (!isCount(version, 1)) throw misuse(`${whose}: version has to be 1, 2, …, not ${shown(version)}`)
  checkQueueName(`${whose}: queue`, queue)
  if (timeoutMs !== undefined && !(isWithin(timeoutMs, 0, maxTimeMs) && timeoutMs > 0))
    throw misuse(`${whose}: timeoutMs has to be more than 0 and at most ${maxTimeMs} (365 days), not ${shown(timeoutMs)}`)
  checkRetry(retry, whose)
}

/** @throws `MISUSE` where an engine could not name a queue so. */
export const checkQueueName = (what: string, name: unknown): void => {
  if (typeof name !== 'string' || !queueShape.test(name))
    throw misuse(`${what} has to be 1 to 100 letters, digits or _ . : / -, not ${shown(name)}`)
}

const checkType = (type: unknown): void => {
  if (typeof type !== 'string') throw misuse(`the type of a task has to be a string, not ${shown(type)}`)
  if (type.length === 0 || type.length > maxTypeCharacters)
    throw misuse(`the type of a task has to be 1 to ${maxTypeCharacters} characters long, not ${type.length}`)
  if (unkeepable.test(type) || type.trim() !== type)
    throw misuse(`the type of a task may not begin or end with a space, nor contain control characters: ${shown(type)}`)
}

const checkRetry = (retry: RetryPolicy, whose: string): void => {
  if (!isObject(retry) || !isObject(retry.backoff)) throw misuse(`${whose}: retry has to be a whole retry policy`)
  const { maxAttempts, maxCrashes, backoff } = retry
  if (!isCount(maxAttempts, 1)) throw misuse(`${whose}: retry.maxAttempts has to be 1 to ${maxRuns}, not ${shown(maxAttempts)}`)
  if (!isCount(maxCrashes, 0)) throw misuse(`${whose}: retry.maxCrashes has to be 0 to ${maxRuns}, not ${shown(maxCrashes)}`)
  const { initialMs, factor, maxMs, jitter } = backoff
  const inRange = (name: string, value: number, least: number, most: number): void => {
    if (!isWithin(value, least, most)) throw misuse(`${whose}: retry.backoff.${name} has to be ${least} to ${most}, not ${shown(value)}`)
  }
  inRange('initialMs', initialMs, 0, maxTimeMs)
  inRange('factor', factor, 1, maxFactor)
  inRange('maxMs', maxMs, initialMs, maxTimeMs)
  inRange('jitter', jitter, 0, 1)
}

/** The policy that the options ask for. What they leave out is as in the default one. */
export const retryPolicyOf = (options: RetryOptions = {}): RetryPolicy => {
  const { maxAttempts = defaultRetryPolicy.maxAttempts, maxCrashes = defaultRetryPolicy.maxCrashes, backoff = {} } = options
  const defaults = defaultRetryPolicy.backoff
  const { initialMs = defaults.initialMs, factor = defaults.factor, jitter = defaults.jitter } = backoff
  // Who only asks for a longer first delay does not have to know of the longest one.
  const { maxMs = Math.max(defaults.maxMs, initialMs) } = backoff
  return { maxAttempts, maxCrashes, backoff: { initialMs, factor, maxMs, jitter } }
}

const isCount = (value: unknown, least: number): boolean => Number.isInteger(value) && isWithin(value, least, maxRuns)

const isWithin = (value: unknown, least: number, most: number): boolean => typeof value === 'number' && value >= least && value <= most

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** A wrong value, briefly. */
const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.length <= 60 ? value : `${value.slice(0, 59)}…`)
  return isObject(value) ? 'an object' : typeof value === 'function' ? 'a function' : String(value)
}
