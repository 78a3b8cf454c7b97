/** A value that JSON writes and reads back unchanged. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject

/** An object whose every property is a {@link JsonValue}. */
export interface JsonObject {
  readonly [key: string]: JsonValue
}

/** Whether two values are the same JSON. The order of properties does not matter. */
export const isSameJson = (a: JsonValue, b: JsonValue): boolean => {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [Object.entries(a), b as JsonObject]
  return (
    left.length === Object.keys(b).length && left.every(([key, value]) => Object.hasOwn(b, key) && isSameJson(value, right[key] ?? null))
  )
}
