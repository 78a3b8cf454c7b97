import { inspect, isDeepStrictEqual } from 'node:util'
import { codeOf } from '@taskledger/core/ports'

/** What a rule expected and did not see. Its message is all that a reader needs: what was compared, the expected value, and the value seen. */
export class Unexpected extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Unexpected'
  }
}

/** Fails unless both values are deeply equal. `what` names what was seen: "the history that another client reads". */
export const same = (seen: unknown, expected: unknown, what: string): void => {
  if (isDeepStrictEqual(seen, expected)) return
  const where = firstDifference(seen, expected)
  throw new Unexpected(
    [
      `${what}: not as expected${where === undefined ? '' : `, first at ${where.path}`}`,
      `Expected: ${shown(where?.expected ?? expected)}`,
      `Seen:     ${shown(where === undefined ? seen : where.seen)}`,
    ].join('\n'),
  )
}

/** Fails with the sentence unless the condition holds. The sentence says what is wrong: "3 of 5 events are there". */
export function holds(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new Unexpected(sentence)
}

/** Fails unless the error has one of these codes. `call` names the call: "an append after a cut". */
export const failedWith = (error: unknown, codes: string | readonly string[], call: string): void => {
  const expected = [codes].flat()
  const code = codeOf(error)
  if (code !== undefined && expected.includes(code)) return
  const seen = error === undefined ? 'it succeeded' : `it failed with ${shown(error)}`
  throw new Unexpected(`${call}: expected ${expected.join(' or ')}; ${seen}`)
}

interface Difference {
  readonly path: string
  readonly seen: unknown
  readonly expected: unknown
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null

/** The innermost place in which two plain values differ; `undefined` if it is the whole value. */
const firstDifference = (seen: unknown, expected: unknown): Difference | undefined => {
  if (!isObject(seen) || !isObject(expected) || Array.isArray(seen) !== Array.isArray(expected)) return undefined
  const keys = [...new Set([...Object.keys(expected), ...Object.keys(seen)])]
  const key = keys.find((each) => !isDeepStrictEqual(seen[each], expected[each]))
  if (key === undefined) return undefined
  const inner = firstDifference(seen[key], expected[key])
  const step = Array.isArray(expected) ? `[${key}]` : `.${key}`
  if (inner !== undefined) return { ...inner, path: `${step}${inner.path}` }
  return { path: step, seen: key in seen ? seen[key] : missing, expected: key in expected ? expected[key] : missing }
}

/** Shown in place of a value that is not there. */
const missing = { [inspect.custom]: () => 'nothing' }

const shown = (value: unknown): string => inspect(value, { depth: 6, maxArrayLength: 20, maxStringLength: 1_000, breakLength: 120 })
