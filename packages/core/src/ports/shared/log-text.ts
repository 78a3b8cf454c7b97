import { escaped } from './escaped.ts'

const maxTextCharacters = 2_000
const maxItems = 20
const maxDepth = 4
const maxFrames = 30
const maxErrors = 5

/**
 * A log line as text: the message, the fields as `key=value`, and below them the error, its frames and its causes. Every text may come from
 * outside, so all of them are escaped: no label, key, reason or error can begin a line of its own or reach the terminal as a command.
 */
export const logText = (fields: unknown, message: unknown): string => {
  const shown: string[] = [shortened(String(message))]
  // Callers in JavaScript may give a text in place of the fields.
  if (!isObject(fields)) return `${shown.join(' ')} ${textOf(fields, 1)}`
  const errors: string[] = []
  for (const [key, value] of Object.entries(fields)) {
    if (key === 'err' && isObject(value)) addError(errors, value, '', new Set())
    else shown.push(`${nameOf(key)}=${textOf(value, 1)}`)
  }
  return [shown.join(' '), ...errors].join('\n')
}

const shortened = (text: string): string =>
  escaped(text.length <= maxTextCharacters ? text : `${text.slice(0, maxTextCharacters)}… (${text.length} characters in all)`)

const nameOf = (key: string): string => (/^[\w.$-]{1,60}$/.test(key) ? key : quoted(key))

/** `escaped` after `JSON.stringify`, which leaves marks of direction and C1 controls as they are. */
const quoted = (text: string): string =>
  escaped(JSON.stringify(text.length <= maxTextCharacters ? text : `${text.slice(0, maxTextCharacters)}…`))

const textOf = (value: unknown, depth: number): string => {
  if (typeof value === 'string') return quoted(value)
  if (!isObject(value)) return escaped(String(value))
  if (depth > maxDepth) return Array.isArray(value) ? '[…]' : '{…}'
  try {
    if (Array.isArray(value)) return `[${listed(value, (item) => textOf(item, depth + 1))}]`
    if (read(value, 'stack') !== undefined) return quoted(headOf(value))
    return `{${listed(Object.keys(value), (key) => `${nameOf(key)}:${textOf(read(value, key), depth + 1)}`)}}`
  } catch {
    return 'a value that cannot be read'
  }
}

const listed = <Item>(items: readonly Item[], show: (item: Item) => string): string =>
  [...items.slice(0, maxItems).map(show), ...(items.length > maxItems ? [`… (${items.length} in all)`] : [])].join(',')

/** The stack text of a stored error has its causes, too. */
const framesAndCauses = /^(?:\s+at |Caused by: |One of its errors: )/

const addError = (lines: string[], error: object, role: string, seen: Set<object>): void => {
  if (seen.has(error) || seen.size === maxErrors) return
  seen.add(error)
  lines.push(`  ${role}${shortened(headOf(error))}`)
  const stack = read(error, 'stack')
  const frames = typeof stack === 'string' ? stack.split('\n', maxFrames * 10).filter((line) => framesAndCauses.test(line)) : []
  for (const frame of frames.slice(0, maxFrames)) lines.push(`${frame.startsWith(' ') ? '    ' : '  '}${shortened(frame.trim())}`)
  const cause = read(error, 'cause')
  if (isObject(cause)) addError(lines, cause, 'caused by ', seen)
  const errors = read(error, 'errors')
  if (Array.isArray(errors))
    for (const one of errors.slice(0, maxErrors)) if (isObject(one)) addError(lines, one, 'one of its errors: ', seen)
}

const headOf = (error: object): string => {
  const [name, code, message] = ['name', 'code', 'message'].map((key) => read(error, key))
  const named = typeof name === 'string' && name !== '' ? name : 'Error'
  return `${named}${typeof code === 'string' ? ` ${code}` : ''}: ${typeof message === 'string' ? message : 'without a message'}`
}

/** A property of any object: getters may throw, proxies may refuse. */
const read = (value: object, key: string): unknown => {
  try {
    return (value as Readonly<Record<string, unknown>>)[key]
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
