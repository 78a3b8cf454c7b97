import type { TaskError } from '../domain/task-event.ts'

/** A body throws this error if another attempt would fail the same way: the failure is final, whatever the retry policy. */
export class NonRetryableError extends Error {
  readonly retryable = false as const

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'NonRetryableError'
  }
}

/** Whether another attempt may succeed: false for a {@link NonRetryableError}, and for any error whose `retryable` is false. */
export const isRetryable = (thrown: unknown): boolean => read(thrown, 'retryable') !== false

const maxMessageBytes = 8 * 1024
const maxStackBytes = 16 * 1024
const maxNameBytes = 200
const maxCodeBytes = 200

/** The maximum of each error of a chain in the stack text, and of the chain itself. */
const maxFramesBytes = 4 * 1024
const maxHeadBytes = 1024
const maxErrors = 10

/**
 * The thrown value in a form that can be stored. Total: it takes every value, of every size, and throws nothing. The stack text contains
 * the causes.
 */
export const describeError = (thrown: unknown): TaskError => {
  try {
    const code = codeOf(thrown)
    const stack = stackOf(thrown)
    return {
      name: cut(nameOf(thrown), maxNameBytes),
      message: cut(messageOf(thrown), maxMessageBytes),
      ...(stack === undefined ? {} : { stack: cut(stack, maxStackBytes) }),
      ...(code === undefined ? {} : { code: cut(code, maxCodeBytes) }),
    }
  } catch {
    return { name: 'Error', message: 'threw a value that cannot be read' }
  }
}

/** A property of any value: getters may throw, proxies may refuse. */
const read = (value: unknown, key: string): unknown => {
  try {
    return isObject(value) ? (value as Record<string, unknown>)[key] : undefined
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is object => (typeof value === 'object' && value !== null) || typeof value === 'function'

const textOf = (value: unknown, key: string): string | undefined => {
  const text = read(value, key)
  return typeof text === 'string' && text !== '' ? text : undefined
}

const nameOf = (thrown: unknown): string => textOf(thrown, 'name') ?? 'Error'

const messageOf = (thrown: unknown): string => {
  if (typeof thrown === 'string') return thrown === '' ? 'threw an empty string instead of an Error' : thrown
  const message = textOf(thrown, 'message')
  if (message !== undefined) return message
  // The name of an error without a message is better than nothing.
  if (textOf(thrown, 'stack') !== undefined) return nameOf(thrown)
  return `threw ${isObject(thrown) ? propertiesOf(thrown) : String(thrown)} instead of an Error`
}

const codeOf = (thrown: unknown): string | undefined => {
  const code = read(thrown, 'code')
  return typeof code === 'number' ? String(code) : textOf(thrown, 'code')
}

/** The own properties of an object, briefly. */
const propertiesOf = (value: object): string => {
  if (typeof value === 'function') return 'a function'
  try {
    const keys = Object.keys(value)
    if (keys.length === 0) return 'an object without properties'
    const shown = keys.slice(0, 10).map((key) => `${cut(key, 60)}: ${briefly(read(value, key))}`)
    return `{ ${[...shown, ...(keys.length > shown.length ? ['…'] : [])].join(', ')} }`
  } catch {
    return 'an object that cannot be read'
  }
}

const briefly = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(cut(value, 100))
  return isObject(value) ? `[${typeof value}]` : String(value)
}

/** The stacks of an error, its causes and its aggregated errors, one below the other; `undefined` if the error has no stack. */
const stackOf = (thrown: unknown): string | undefined => {
  if (textOf(thrown, 'stack') === undefined) return undefined
  const seen = new Set<unknown>()
  const parts: string[] = []
  const add = (error: unknown, role: string): void => {
    if (error === undefined) return
    if (seen.has(error)) parts.push(`${role}an error that is already above`)
    else if (seen.size === maxErrors) parts.push(`${role}…`)
    else {
      seen.add(error)
      parts.push(role + headOf(error) + framesOf(error))
      add(read(error, 'cause'), 'Caused by: ')
      for (const one of itemsOf(read(error, 'errors'))) add(one, 'One of its errors: ')
    }
  }
  add(thrown, '')
  return parts.join('\n')
}

const headOf = (error: unknown): string =>
  cut(isObject(error) && textOf(error, 'message') !== undefined ? `${nameOf(error)}: ${messageOf(error)}` : messageOf(error), maxHeadBytes)

/** The stack without the message at its start: a long message would leave no room for the frames. */
const framesOf = (error: unknown): string => {
  const stack = textOf(error, 'stack')
  if (stack === undefined) return ''
  const message = textOf(error, 'message') ?? ''
  const messageAt = message === '' ? -1 : stack.indexOf(message)
  const framesAt = messageAt === -1 ? stack.indexOf('\n    at ') : messageAt + message.length
  return framesAt === -1 ? '' : cut(stack.slice(framesAt), maxFramesBytes)
}

const itemsOf = (list: unknown): readonly unknown[] => {
  try {
    return Array.isArray(list) ? list.slice(0, maxErrors) : []
  } catch {
    return []
  }
}

/** The text, shortened to a maximum of UTF-8 bytes, never inside a character. */
const cut = (text: string, maxBytes: number): string => {
  // A UTF-16 unit takes at most three bytes of UTF-8.
  if (text.length * 3 <= maxBytes) return text
  const { read: kept } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes))
  if (kept === text.length) return text
  const mark = `… (${text.length} characters in all)`
  const { read: keptBeforeMark } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes - mark.length - 2))
  return text.slice(0, keptBeforeMark) + mark
}
