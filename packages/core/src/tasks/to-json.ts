import type { JsonValue } from '../domain/json.ts'
import { TaskledgerError } from '../ports/shared/errors.ts'
import type { Level, Place } from './not-json.ts'
import { instanceRefused, notJson, pathOf } from './not-json.ts'

/** The default maximum of a payload, in bytes of its JSON. */
export const defaultMaxPayloadBytes: number = 256 * 1024

/** The maximum of a result, in bytes of its JSON. */
export const defaultMaxResultBytes: number = 256 * 1024

/** The maximum of a progress report, in bytes of its JSON. */
export const defaultMaxProgressBytes: number = 16 * 1024

/** The maximum depth of nested arrays and objects. */
const maxLevels = 100

/** One walk through a value. It bounds the size from both sides, so that most values need not be written as JSON to be measured. */
interface Walk extends Place {
  readonly maxBytes: number
  /** The JSON has at least this many bytes. */
  minBytes: number
  /** The JSON has at most this many bytes. */
  possibleBytes: number
  /** How many properties were left out because they are `undefined`. */
  leftOut: number
  at: Level | undefined
}

/**
 * A copy of a value that JSON writes and reads back unchanged, without the properties that are `undefined`: a program reads the same from
 * an object without them. `what` names the value in messages.
 *
 * @throws `NOT_JSON`, with the place and the remedy, if JSON would lose or change something; `TOO_LARGE` if the JSON has more than
 * `maxBytes` bytes.
 */
export const toJson = (value: unknown, what: string, maxBytes: number): JsonValue => {
  const walk: Walk = { what, maxBytes, minBytes: 0, possibleBytes: 0, leftOut: 0, at: undefined }
  try {
    const copy = copyOf(value, walk)
    if (walk.possibleBytes > maxBytes) checkSize(copy, walk)
    return copy
  } catch (error) {
    if (isOwn(error)) throw error
    throw notJson(walk, 'cannot be read: pass a plain copy of it', error)
  }
}

/** Whether this file threw the error. The value's own code (a getter, a proxy) may throw anything, also what `instanceof` cannot look at. */
const isOwn = (error: unknown): boolean => {
  try {
    return error instanceof TaskledgerError
  } catch {
    return false
  }
}

const copyOf = (value: unknown, walk: Walk): JsonValue => {
  switch (typeof value) {
    case 'string':
      count(walk, value.length + 2, value.length * 6 + 2)
      return value
    case 'number':
      if (!Number.isFinite(value)) throw notJson(walk, `is ${value}: JSON cannot hold it; pass null or a string`)
      count(walk, 1, 25)
      // Minus zero would come back as zero.
      return value + 0
    case 'boolean':
      count(walk, 4, 5)
      return value
    case 'object':
      if (value === null) {
        count(walk, 4, 4)
        return null
      }
      return copyOfObject(value, walk)
    case 'bigint':
      throw notJson(walk, 'is a BigInt: JSON cannot hold it; pass a string')
    case 'function':
      throw notJson(
        walk,
        `is a function: ${walk.at?.key === 'toJSON' ? 'pass what it returns in place of its object' : 'JSON cannot hold it; pass data only'}`,
      )
    case 'symbol':
      throw notJson(walk, 'is a symbol: JSON cannot hold it; pass a string')
    default:
      throw notJson(walk, `is undefined: JSON cannot hold it; pass null`)
  }
}

const copyOfObject = (value: object, walk: Walk): JsonValue => {
  const up = walk.at
  const depth = up === undefined ? 1 : up.depth + 1
  if (depth > maxLevels) throw notJson(walk, `is nested deeper than ${maxLevels} levels: flatten it`)
  for (let level = up; level !== undefined; level = level.up)
    if (level.value === value)
      throw notJson(walk, `refers back to ${pathOf(walk.what, level.up)}: JSON cannot hold it; pass an id in its place`)
  const prototype: unknown = Object.getPrototypeOf(value)
  const isArray = Array.isArray(value)
  // The prototype of a plain array is itself an array, in every realm; the prototype of a subclass is not.
  if (isArray ? !Array.isArray(prototype) : !isPlainPrototype(prototype)) throw instanceRefused(value, walk)
  count(walk, 2, 2)
  const level: Level = { value, up, depth, key: undefined }
  walk.at = level
  const copy = isArray ? copyOfItems(value, level, walk) : copyOfProperties(value as Record<string, unknown>, level, walk)
  walk.at = up
  return copy
}

const copyOfItems = (items: readonly unknown[], level: Level, walk: Walk): JsonValue => {
  if (typeof (items as { toJSON?: unknown }).toJSON === 'function')
    throw notJson(walk, 'is an array with a toJSON: pass what its toJSON() returns')
  const copy: JsonValue[] = []
  for (let index = 0; index < items.length; index++) {
    level.key = index
    count(walk, 0, 1)
    copy.push(copyOf(items[index], walk))
  }
  return copy
}

const copyOfProperties = (source: Record<string, unknown>, level: Level, walk: Walk): JsonValue => {
  const copy: Record<string, JsonValue> = {}
  for (const key of Object.keys(source)) {
    level.key = key
    const given = source[key]
    if (given === undefined) {
      leaveOut(walk)
      continue
    }
    count(walk, key.length + 3, key.length * 6 + 4)
    const value = copyOf(given, walk)
    // An assignment would set the prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { value, enumerable: true, writable: true, configurable: true })
    else copy[key] = value
  }
  for (const symbol of Object.getOwnPropertySymbols(source))
    if (Object.prototype.propertyIsEnumerable.call(source, symbol)) {
      level.key = String(symbol)
      throw notJson(walk, 'is the property of a symbol: JSON would drop it; name it by a string')
    }
  return copy
}

const isPlainPrototype = (prototype: unknown): boolean =>
  prototype === Object.prototype ||
  prototype === null ||
  // The prototype of plain objects of another realm.
  (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf'))

const count = (walk: Walk, minBytes: number, possibleBytes: number): void => {
  walk.minBytes += minBytes
  walk.possibleBytes += possibleBytes
  // Stops early: a value that contains one object many times can be small in memory and huge as JSON.
  if (walk.minBytes > walk.maxBytes) throw tooLarge(walk, `more than ${walk.maxBytes}`)
}

/** Bounded like the rest: an object of nothing but absent properties may be contained many times. */
const leaveOut = (walk: Walk): void => {
  if (++walk.leftOut > walk.maxBytes) throw tooLarge(walk, `more than ${walk.maxBytes}`)
}

const checkSize = (copy: JsonValue, walk: Walk): void => {
  const text = JSON.stringify(copy)
  if (text.length * 3 <= walk.maxBytes) return
  const bytes = new TextEncoder().encode(text).length
  if (bytes > walk.maxBytes) throw tooLarge(walk, `${bytes}`)
}

const tooLarge = ({ what, maxBytes }: Walk, bytes: string): TaskledgerError =>
  new TaskledgerError(
    'TOO_LARGE',
    `${what} takes ${bytes} bytes of JSON, ${maxBytes} are allowed: store the data elsewhere and pass a reference to it`,
  )
