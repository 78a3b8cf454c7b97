import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeError, isRetryable, NonRetryableError } from '../../src/tasks/describe-error.ts'

const bytesOf = (text: string | undefined): number => new TextEncoder().encode(text).length

const failing = (): never => {
  throw new Error('no')
}

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable(new Error('gone'), {})
  revoke()
  return proxy
}

describe('a thrown value', () => {
  test('has name, message, stack and code', () => {
    const error = Object.assign(new RangeError('too far'), { code: 'E_FAR' })
    const described = describeError(error)
    expect(described).toMatchObject({ name: 'RangeError', message: 'too far', code: 'E_FAR' })
    expect(described.stack).toMatch(/^RangeError: too far\n {4}at .*describe-error\.test\.ts/)
  })

  test('has no properties without a value', () => {
    expect(Object.keys(describeError('boom'))).toEqual(['name', 'message'])
    expect(describeError(new Error('boom'))).not.toHaveProperty('code')
  })

  test.each<[string, unknown, string]>([
    ['undefined', undefined, 'threw undefined instead of an Error'],
    ['null', null, 'threw null instead of an Error'],
    ['a string', 'boom', 'boom'],
    ['the empty string', '', 'threw an empty string instead of an Error'],
    ['a number', 404, 'threw 404 instead of an Error'],
    ['a BigInt', 3n, 'threw 3 instead of an Error'],
    ['a symbol', Symbol('s'), 'threw Symbol(s) instead of an Error'],
    ['a function', failing, 'threw a function instead of an Error'],
    ['an object', { status: 404, body: { a: 1 }, url: '/x' }, 'threw { status: 404, body: [object], url: "/x" } instead of an Error'],
    ['an empty object', {}, 'threw an object without properties instead of an Error'],
    ['an object with a message', { message: 'boom', code: 7 }, 'boom'],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 }), 'threw { a: 1 } instead of an Error'],
    ['a frozen error', Object.freeze(new Error('cold')), 'cold'],
    ['an error without a message', new TypeError(), 'TypeError'],
    ['an error whose message is no text', Object.assign(new Error('x'), { message: 7 }), 'Error'],
  ])('may be %s', (_what, thrown, message) => {
    expect(describeError(thrown).message).toBe(message)
  })

  test('may have a code that is a number', () => {
    expect(describeError(Object.assign(new Error('x'), { code: 14 })).code).toBe('14')
  })

  test.each<[string, () => unknown]>([
    [
      'has getters that throw',
      () =>
        Object.defineProperties(
          {},
          { name: { get: failing }, message: { get: failing }, stack: { get: failing }, cause: { get: failing } },
        ),
    ],
    [
      'refuses everything',
      () => new Proxy({}, { get: failing, has: failing, ownKeys: failing, getPrototypeOf: failing, getOwnPropertyDescriptor: failing }),
    ],
    ['refuses to list its keys', () => new Proxy({}, { ownKeys: failing })],
    ['is a revoked proxy', revoked],
    ['is gathered from a revoked proxy', () => Object.assign(new Error('outer'), { errors: revoked() })],
    ['is caused by a revoked proxy', () => new Error('outer', { cause: revoked() })],
    ['cannot become text', () => ({ toString: failing, [Symbol.toPrimitive]: failing })],
    [
      'has a property that throws',
      () => ({
        get a() {
          return failing()
        },
      }),
    ],
  ])('may be something that %s', (_what, make) => {
    const { name, message } = describeError(make())
    expect([typeof name, typeof message]).toEqual(['string', 'string'])
    expect(message).not.toBe('')
  })

  test('may be anything, and is described within bounds, as JSON', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true }),
        (thrown) => {
          const described = describeError(thrown)
          expect(JSON.parse(JSON.stringify(described))).toStrictEqual(described)
          expect(bytesOf(described.message)).toBeLessThanOrEqual(8 * 1024)
        },
      ),
    )
  })
})

describe('the causes', () => {
  test('are in the stack, one below the other', () => {
    const error = new Error('reindexing failed', { cause: new Error('inbox is locked', { cause: 'by ann' }) })
    const { message, stack } = describeError(error)
    expect(message).toBe('reindexing failed')
    expect(stack).toMatch(/^Error: reindexing failed\n {4}at [^]*\nCaused by: Error: inbox is locked\n {4}at [^]*\nCaused by: by ann$/)
  })

  test('that form a circle appear once', () => {
    const error = new Error('hen')
    error.cause = new Error('egg', { cause: error })
    expect(describeError(error).stack).toMatch(/Caused by: Error: egg\n[^]*\nCaused by: an error that is already above$/)
  })

  test('of a long chain appear in part', () => {
    let error = new Error('root')
    for (let link = 0; link < 10_000; link++) error = new Error(`link ${link}`, { cause: error })
    const { stack } = describeError(error)
    expect(stack).toContain('Error: link 9999')
    expect(stack).toContain('Caused by: Error: link 9998')
    expect(bytesOf(stack)).toBeLessThanOrEqual(16 * 1024)
  })

  test('of an AggregateError all appear', () => {
    const { stack } = describeError(new AggregateError([new Error('first'), new Error('second')], 'all failed'))
    expect(stack).toMatch(/^AggregateError: all failed\n[^]*One of its errors: Error: first\n[^]*One of its errors: Error: second\n/)
  })
})

describe('the bounds', () => {
  const size = 10 * 1024 * 1024

  test('shorten a message of 10 MB, and keep the frames of the stack', () => {
    const described = describeError(new Error('x'.repeat(size)))
    expect(described.message).toMatch(/^x+… \(10485760 characters in all\)$/)
    expect(bytesOf(described.message)).toBeLessThanOrEqual(8 * 1024)
    expect(bytesOf(described.stack)).toBeLessThanOrEqual(16 * 1024)
    expect(described.stack).toMatch(/describe-error\.test\.ts/)
  })

  test('hold for the work, too: an error that contains itself many times is read a bounded number of times', () => {
    let reads = 0
    const counted = (value: object): object =>
      new Proxy(value, {
        get(target, key) {
          reads++
          return Reflect.get(target, key) as unknown
        },
      })
    let error = counted(new Error('core'))
    for (let level = 0; level < 60; level++) {
      const inner = error
      error = counted(
        new AggregateError(
          Array.from({ length: 50 }, () => counted(new AggregateError([inner, inner], 'x'))),
          'y',
          { cause: inner },
        ),
      )
    }
    expect(JSON.stringify(describeError(error)).length).toBeLessThan(40_000)
    expect(reads).toBeLessThan(1_000)
  })

  test('hold for every field, whatever the characters', () => {
    for (const character of ['x', 'é', '漢', '😀']) {
      const text = character.repeat(100_000)
      const described = describeError({ name: text, message: text, code: text, stack: `${text}\n    at ${text}` })
      expect(bytesOf(described.name)).toBeLessThanOrEqual(200)
      expect(bytesOf(described.code)).toBeLessThanOrEqual(200)
      expect(bytesOf(described.message)).toBeLessThanOrEqual(8 * 1024)
      expect(bytesOf(described.stack)).toBeLessThanOrEqual(16 * 1024)
      expect(described.message.isWellFormed()).toBe(true)
    }
  })

  test('leave shorter texts unchanged', () => {
    const message = 'é'.repeat(4 * 1024)
    expect(describeError(new Error(message)).message).toBe(message)
  })

  test('hold for a thrown string and a thrown object', () => {
    expect(bytesOf(describeError('x'.repeat(size)).message)).toBeLessThanOrEqual(8 * 1024)
    const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`key${index}`, 'x'.repeat(1_000)]))
    expect(bytesOf(describeError(wide).message)).toBeLessThanOrEqual(8 * 1024)
  })
})

describe('whether another attempt may succeed', () => {
  test('it may by default', () => {
    for (const thrown of [new Error('x'), undefined, null, 'text', { retryable: true }, { retryable: undefined }, revoked()])
      expect(isRetryable(thrown)).toBe(true)
  })
  test('it may not after a NonRetryableError, or an error whose retryable is false', () => {
    expect(isRetryable(new NonRetryableError('no such mailbox'))).toBe(false)
    expect(isRetryable({ retryable: false })).toBe(false)
    expect(describeError(new NonRetryableError('no such mailbox'))).toMatchObject({ name: 'NonRetryableError', message: 'no such mailbox' })
  })
})
