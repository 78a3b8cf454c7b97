import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toJson } from '../../src/tasks/to-json.ts'

const limit = 256 * 1024
const copyOf = (value: unknown, maxBytes = limit): unknown => toJson(value, 'result', maxBytes)

/** The error that a value is refused with. */
const refusalOf = (value: unknown, maxBytes = limit): Error & { code?: string } => {
  try {
    copyOf(value, maxBytes)
  } catch (error) {
    return error as Error & { code?: string }
  }
  throw new Error('the value was not refused')
}

const hundred = Array.from({ length: 100 }, (_, index) => `key${index}`)

/** A value that counts how often it is read. */
const counted = <Value extends object>(value: Value, count: () => void): Value =>
  new Proxy(value, {
    get(target, key, receiver) {
      count()
      return Reflect.get(target, key, receiver) as unknown
    },
  })

/** A value that contains another one 2 ** levels times. */
const doubled = (core: () => unknown, levels: number): unknown => {
  let value = core()
  for (let level = 0; level < levels; level++) value = [value, value]
  return value
}

/** What a program reads from a value: without minus zero, which equals zero, and without prototypes. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]))
  return Object.is(value, -0) ? 0 : value
}

class User {
  readonly name = 'ann'
}
class Money {
  toJSON(): string {
    return '3 EUR'
  }
}
class Stack extends Array<number> {}

const circular = (): unknown => {
  const tree: { children: unknown[] } = { children: [] }
  tree.children.push({ parent: tree })
  return tree
}

const nested = (levels: number): unknown => {
  let value: unknown = 'core'
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { value }
  return value
}

describe('a value that JSON can hold', () => {
  test('is read as it was written, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const copy = copyOf(value)
        expect(copy).toStrictEqual(JSON.parse(JSON.stringify(value)))
        expect(JSON.stringify(copy)).toBe(JSON.stringify(value))
      }),
    )
  })

  test('is copied: neither shares anything with the other', () => {
    const value = { items: [{ tags: ['a'] }] }
    const copy = copyOf(value) as typeof value
    value.items[0]?.tags.push('b')
    expect(copy).toEqual({ items: [{ tags: ['a'] }] })
  })

  test.each([
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 }), { a: 1 }],
    ['an object of another realm', runInNewContext('({ a: [1, { b: 2 }] })') as unknown, { a: [1, { b: 2 }] }],
    ['a frozen object', Object.freeze({ a: Object.freeze([1]) }), { a: [1] }],
    ['a proxy of a plain object', new Proxy({ a: 1 }, {}), { a: 1 }],
    ['a getter', Object.defineProperty({}, 'a', { get: () => 1, enumerable: true }), { a: 1 }],
    ['minus zero, which JSON does not know', -0, 0],
    ['half a surrogate pair', '\ud800', '\ud800'],
    ['an empty key', { '': 1 }, { '': 1 }],
    ['data that is called toJSON', { toJSON: 'yes' }, { toJSON: 'yes' }],
    ['the same object twice', ((shared) => ({ a: shared, b: [shared] }))({ x: 1 }), { a: { x: 1 }, b: [{ x: 1 }] }],
  ])('may be %s', (_what, value, expected) => {
    expect(copyOf(value)).toStrictEqual(expected)
  })

  test('may have a property named __proto__, which stays a property', () => {
    const value: unknown = JSON.parse('{"a":{"__proto__":{"polluted":true}}}')
    const copy = copyOf(value) as { a: object }
    expect(JSON.stringify(copy)).toBe('{"a":{"__proto__":{"polluted":true}}}')
    expect(Object.getPrototypeOf(copy.a)).toBe(Object.prototype)
    expect(copy.a).not.toHaveProperty('polluted')
    expect({}).not.toHaveProperty('polluted')
  })

  test('may have properties that are undefined, which are left out', () => {
    expect(copyOf({ a: undefined, b: { c: undefined, d: 1 } })).toStrictEqual({ b: { d: 1 } })
  })

  test('may be a hundred levels deep', () => {
    expect(copyOf(nested(100))).toEqual(nested(100))
  })
})

describe('a value that JSON cannot hold is refused, by its place and with a remedy', () => {
  test.each<[string, unknown, string]>([
    ['a BigInt', { items: [0, 1, 2, 3n] }, 'result.items[3] is a BigInt: JSON cannot hold it; pass a string'],
    ['undefined itself', undefined, 'result is undefined: JSON cannot hold it; pass null'],
    ['undefined in an array', [1, undefined], 'result[1] is undefined: JSON cannot hold it; pass null'],
    ['a hole in an array', [1, , 3], 'result[1] is undefined: JSON cannot hold it; pass null'], // oxlint-disable-line no-sparse-arrays
    ['NaN', { ratio: Number.NaN }, 'result.ratio is NaN: JSON cannot hold it; pass null or a string'],
    ['Infinity', [Infinity], 'result[0] is Infinity: JSON cannot hold it; pass null or a string'],
    ['minus Infinity', -Infinity, 'result is -Infinity: JSON cannot hold it; pass null or a string'],
    ['a function', { run: () => 1 }, 'result.run is a function: JSON cannot hold it; pass data only'],
    ['a symbol', Symbol('s'), 'result is a symbol: JSON cannot hold it; pass a string'],
    [
      'the property of a symbol',
      { [Symbol('s')]: 1 },
      'result["Symbol(s)"] is the property of a symbol: JSON would drop it; name it by a string',
    ],
    ['a Date', { at: new Date(0) }, 'result.at is a Date: it would come back a string; pass its toISOString()'],
    ['a Map', new Map([['a', 1]]), 'result is a Map: JSON would drop its entries; pass Object.fromEntries of it, or an array of them'],
    ['a Set', [new Set()], 'result[0] is a Set: JSON would drop its members; pass an array of them'],
    ['a promise', { size: Promise.resolve(1) }, 'result.size is a Promise: JSON cannot hold it; await it first'],
    ['an error', { why: new TypeError('boom') }, 'result.why is a TypeError: JSON would drop its message; pass the message'],
    ['bytes', { data: new Uint8Array(3) }, 'result.data is a Uint8Array: it would come back an object; pass base64 text, or a plain array'],
    ['a buffer', Buffer.from('x'), 'result is a Buffer: it would come back an object; pass base64 text, or a plain array'],
    ['an instance', { user: new User() }, 'result.user is an instance of User: it would come back without its class; pass a plain object'],
    ['a subclass of arrays', new Stack(), 'result is an instance of Stack: it would come back without its class; pass a plain object'],
    ['a boxed string', Object('x'), 'result is an instance of String: it would come back without its class; pass a plain object'],
    [
      'an instance with a toJSON',
      [new Money()],
      'result[0] is an instance of Money with a toJSON: it would come back something else; pass what its toJSON() returns',
    ],
    ['an object with a toJSON', { a: { toJSON: () => 1 } }, 'result.a.toJSON is a function: pass what it returns in place of its object'],
    ['an array with a toJSON', Object.assign([1], { toJSON: () => 1 }), 'result is an array with a toJSON: pass what its toJSON() returns'],
    ['a circle', circular(), 'result.children[0].parent refers back to result: JSON cannot hold it; pass an id in its place'],
    ['an odd key', { 'a b': { 1: 1n } }, 'result["a b"]["1"] is a BigInt: JSON cannot hold it; pass a string'],
  ])('%s', (_what, value, message) => {
    expect(refusalOf(value)).toMatchObject({ name: 'TaskledgerError', code: 'NOT_JSON', message })
  })

  test('a toJSON that throws is not called', () => {
    const value = {
      toJSON: () => {
        throw new Error('called')
      },
    }
    expect(refusalOf(value).message).not.toContain('called')
  })

  test.each<[string, () => unknown, string]>([
    [
      'a getter that throws',
      () => ({
        a: {
          get b() {
            throw new Error('no')
          },
        },
      }),
      'result.a.b cannot be read: pass a plain copy of it',
    ],
    [
      'a proxy that does not list its keys',
      () => ({
        a: new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error('no')
            },
          },
        ),
      }),
      'result.a cannot be read: pass a plain copy of it',
    ],
    [
      'a proxy that hides its prototype',
      () =>
        new Proxy(
          {},
          {
            getPrototypeOf: () => {
              throw new Error('no')
            },
          },
        ),
      'result cannot be read: pass a plain copy of it',
    ],
  ])('%s, with the cause', (_what, make, message) => {
    expect(refusalOf(make())).toMatchObject({ code: 'NOT_JSON', message, cause: expect.objectContaining({ message: 'no' }) as Error })
  })

  test('a revoked proxy', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(refusalOf({ proxy })).toMatchObject({ code: 'NOT_JSON', message: 'result.proxy cannot be read: pass a plain copy of it' })
  })

  test('more than a hundred levels', () => {
    expect(refusalOf(nested(101))).toMatchObject({
      code: 'NOT_JSON',
      message: expect.stringContaining('is nested deeper than 100 levels') as string,
    })
  })

  test('a hundred thousand levels, without exhausting the stack', () => {
    expect(refusalOf(nested(100_000)).code).toBe('NOT_JSON')
  })

  test('in a message that stays short', () => {
    const key = 'k'.repeat(1_000_000)
    expect(refusalOf({ [key]: 1n }, 10_000_000).message.length).toBeLessThan(300)
  })

  test('in every case: an accepted value is read as it was written', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withSparseArray: true,
          withNullPrototype: true,
        }),
        (value) => {
          let copy: unknown
          try {
            copy = copyOf(value)
          } catch (error) {
            expect(error).toMatchObject({ code: 'NOT_JSON' })
            return
          }
          expect(JSON.parse(JSON.stringify(copy))).toStrictEqual(copy)
          expect(JSON.stringify(copy)).toBe(JSON.stringify(value))
          // The same for a program: only properties that are undefined are missing.
          expect(copy).toEqual(plain(value))
        },
      ),
      { numRuns: 1_000 },
    )
  })
})

describe('the limit', () => {
  const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length

  test('counts the bytes of the JSON, to the byte', { timeout: 30_000 }, () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.jsonValue(), fc.array(fc.string({ unit: 'binary' })), fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }))),
        (value) => {
          const bytes = bytesOf(value)
          expect(() => copyOf(value, bytes)).not.toThrow()
          expect(refusalOf(value, bytes - 1).code).toBe('TOO_LARGE')
        },
      ),
      { numRuns: 500 },
    )
  })

  test.each<[string, string]>([
    ['plain', 'x'],
    ['two bytes each', 'é'],
    ['three bytes each', '漢'],
    ['four bytes each', '😀'],
    ['escapes', '\u0000'],
    ['quotes', '"'],
  ])('counts bytes, not characters: %s', (_what, character) => {
    const text = character.repeat(100)
    expect(copyOf(text, bytesOf(text))).toBe(text)
    expect(refusalOf(text, bytesOf(text) - 1).code).toBe('TOO_LARGE')
  })

  test('is in the error, with the size and the remedy', () => {
    expect(refusalOf(['é'.repeat(60)], 100).message).toBe(
      'result takes 124 bytes of JSON, 100 are allowed: store the data elsewhere and pass a reference to it',
    )
    expect(refusalOf('x'.repeat(500), 100).message).toContain('takes more than 100 bytes of JSON')
  })

  test('ends the walk through a value that is small in memory and huge as JSON', () => {
    let value: unknown = 'x'
    for (let level = 0; level < 90; level++) value = [value, value]
    expect(refusalOf(value).code).toBe('TOO_LARGE')
  })

  test.each<[string, (count: () => void) => unknown]>([
    ['an array in an array', (count) => doubled(() => counted(['lol', 'lol'], count), 60)],
    [
      'objects of nothing but undefined',
      (count) => doubled(() => counted(Object.fromEntries(hundred.map((key) => [key, undefined])), count), 60),
    ],
    ['empty objects', (count) => doubled(() => counted({}, count), 60)],
  ])('bounds the work, whatever is contained many times: %s', (_what, make) => {
    let reads = 0
    expect(refusalOf(make(() => reads++)).code).toBe('TOO_LARGE')
    // Two reads for each byte are far more than the walk needs, and far less than 2 ** 60.
    expect(reads).toBeLessThan(2 * limit)
  })

  test('ends the walk through an array that is only long', () => {
    expect(refusalOf(Array.from({ length: 10 ** 6 }, () => 0)).code).toBe('TOO_LARGE')
  })
})
