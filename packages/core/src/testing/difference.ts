/** The first place where two values differ, as a sentence; `undefined` if they are equal. */
export const difference = (actual: unknown, expected: unknown, path = ''): string | undefined => {
  if (Object.is(actual, expected)) return undefined
  if (!isObject(actual) || !isObject(expected) || Array.isArray(actual) !== Array.isArray(expected))
    return `${path === '' ? 'it' : path} is ${shown(actual)}, not ${shown(expected)}`
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const place = Array.isArray(expected) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`
    if (!Object.hasOwn(actual, key)) return `${place} is missing: ${shown(expected[key])} was expected`
    if (!Object.hasOwn(expected, key)) return `${place} was not expected: it is ${shown(actual[key])}`
    const found = difference(actual[key], expected[key], place)
    if (found !== undefined) return found
  }
  return undefined
}

/** A value as text, for messages. */
export const shown = (value: unknown, indent?: number): string => JSON.stringify(value, null, indent) ?? String(value)

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
