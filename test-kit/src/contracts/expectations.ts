import { inspect, isDeepStrictEqual } from 'node:util'
import { codeOf } from '@taskledger/core/ports'

/** What a rule expected and did not see. Its message is all that a reader needs: what was compared, the expected value, and the value seen. */
export class Unexpected extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Unexpected'
  }
}

/** Fails unless both values are deeply equal. `what` names what was seen: "the history that another client reads". */
export const same = (seen: unknown, expected: unknown, what: string): void => {
  if (isDeepStrictEqual(seen, expected)) return
  const { path, ...difference } = innermost({ path: '', seen, expected })
  throw new Unexpected(
    [
      `${what}: not as expected${path === '' ? '' : `, first at ${path}`}${lengthsOf(seen, expected)}`,
      `Expected: ${shown(difference.expected)}`,
      `Seen:     ${shown(difference.seen)}`,
    ].join('\n'),
  )
}

/** Fails with the sentence unless the condition holds. The sentence says what is wrong: "3 of 5 events are there". */
export function holds(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new Unexpected(sentence)
}

/** Fails unless the error has one of these codes. `call` names the call: "an append after a cut". No error means that the call succeeded. */
export const failedWith = (error: unknown, codes: string | readonly string[], call: string): void => {
  const expected = [codes].flat()
  const code = codeOf(error)
  if (code !== undefined && expected.includes(code)) return
  const seen = error === undefined ? 'it succeeded' : `it failed with ${lineOf(error)}`
  throw new Unexpected(`${call}: expected ${expected.join(' or ')}; ${seen}`, error === undefined ? undefined : { cause: error })
}

interface Difference {
  readonly path: string
  readonly seen: unknown
  readonly expected: unknown
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null

const hasElements = (value: unknown): boolean => Array.isArray(value) || ArrayBuffer.isView(value)

/** The deepest path that is shown. Deeper values, and values that contain themselves, are shown as a whole. */
const maxDepth = 20

/** The innermost place in which two plain values differ. */
const innermost = (difference: Difference, depth = 0): Difference => {
  const { path, seen, expected } = difference
  if (typeof seen === 'string' && typeof expected === 'string') return inText(path, seen, expected)
  if (!isObject(seen) || !isObject(expected) || hasElements(seen) !== hasElements(expected) || depth === maxDepth) return difference
  const keys = new Set([...Object.keys(expected), ...Object.keys(seen)])
  for (const key of keys) {
    const inner = { seen: key in seen ? seen[key] : missing, expected: key in expected ? expected[key] : missing }
    if (isDeepStrictEqual(inner.seen, inner.expected)) continue
    return innermost({ ...inner, path: path + stepTo(key, hasElements(expected)) }, depth + 1)
  }
  return difference
}

const stepTo = (key: string, isIndex: boolean): string => {
  if (isIndex) return `[${key}]`
  return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

/** A text up to this length is shown as a whole. */
const wholeText = 200

/** The place in which two texts differ, where they are too long to be shown. */
const inText = (path: string, seen: string, expected: string): Difference => {
  if (seen.length <= wholeText && expected.length <= wholeText) return { path, seen, expected }
  let start = 0
  while (seen[start] === expected[start] && start < seen.length) start++
  const from = Math.max(0, start - 20)
  const part = (text: string): unknown => (from < text.length ? new Part(text.slice(from, from + wholeText), text.length) : missing)
  return { path: `${path} character ${start}`.trim(), seen: part(seen), expected: part(expected) }
}

/** A part of a long text. */
class Part {
  readonly #text: string
  readonly #length: number

  constructor(text: string, length: number) {
    this.#text = text
    this.#length = length
  }

  [inspect.custom](): string {
    return `… ${inspect(this.#text)} … (${this.#length} characters)`
  }
}

/** How many elements there are, if that differs. */
const lengthsOf = (seen: unknown, expected: unknown): string =>
  Array.isArray(seen) && Array.isArray(expected) && seen.length !== expected.length
    ? ` (${seen.length} elements, expected ${expected.length})`
    : ''

/** Shown in place of a value that is not there. */
const missing = { [inspect.custom]: () => 'nothing' }

/** `UNAVAILABLE: no connection` */
const lineOf = (error: unknown): string => {
  if (!(error instanceof Error)) return shown(error)
  return `${codeOf(error) ?? error.name}: ${error.message}`
}

const shown = (value: unknown): string => inspect(value, { depth: 6, maxArrayLength: 20, maxStringLength: 1_000, breakLength: 120 })
