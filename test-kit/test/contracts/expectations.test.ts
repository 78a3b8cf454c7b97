import { closedError, unavailable } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import { failedWith, holds, same, Unexpected } from '../../src/contracts/expectations.ts'

const messageOf = (check: () => void): string => {
  try {
    check()
  } catch (error) {
    expect(error).toBeInstanceOf(Unexpected)
    return (error as Error).message
  }
  throw new Error('it did not fail')
}

describe('same', () => {
  it('accepts values that are deeply equal', () => {
    for (const value of [7, 'text', undefined, { a: [1, { b: new Uint8Array([1]) }] }, [], null])
      same(structuredClone(value), value, 'a value')
  })

  it('names what was compared, what was expected and what was seen', () => {
    expect(messageOf(() => same(3, 5, 'the depth of the queue'))).toBe('the depth of the queue: not as expected\nExpected: 5\nSeen:     3')
  })

  it.each<readonly [string, unknown, unknown, string]>([
    ['a property', { a: { b: [1, 2] } }, { a: { b: [1, 3] } }, ', first at .a.b[1]\nExpected: 3\nSeen:     2'],
    ['a missing property', { a: 1 }, { a: 1, b: 2 }, ', first at .b\nExpected: 2\nSeen:     nothing'],
    ['a property too many', { a: 1, b: undefined }, { a: 1 }, ', first at .b\nExpected: nothing\nSeen:     undefined'],
    ['a key that is no name', { 'my-key': 1 }, { 'my-key': 2 }, ', first at ["my-key"]\nExpected: 2\nSeen:     1'],
    ['the length of a list', [1], [1, 2], ', first at [1] (1 elements, expected 2)\nExpected: 2\nSeen:     nothing'],
    ['a byte', new Uint8Array([1, 2]), new Uint8Array([1, 3]), ', first at [1]\nExpected: 3\nSeen:     2'],
    ['a set', new Set([1]), new Set([2]), '\nExpected: Set(1) { 2 }\nSeen:     Set(1) { 1 }'],
    ['another kind of value', { a: [] }, { a: {} }, ', first at .a\nExpected: {}\nSeen:     []'],
  ])('says where %s differs', (_name, seen, expected, message) => {
    expect(messageOf(() => same(seen, expected, 'it'))).toBe(`it: not as expected${message}`)
  })

  it('shows the part of a long text that differs', () => {
    const text = 'x'.repeat(100_000)
    const message = messageOf(() => same({ text: `${text}abc` }, { text: `${text}abd` }, 'the payload'))
    expect(message).toContain('first at .text character 100002')
    expect(message).toContain("xxxabd' … (100003 characters)")
    expect(message.length).toBeLessThan(500)
    expect(messageOf(() => same(text, `${text}${text}`, 'the payload'))).toContain('(200000 characters)')
  })

  it('shows values that contain themselves', () => {
    const circle = (value: number): unknown => {
      const inner: Record<string, unknown> = {}
      inner['self'] = inner
      inner['value'] = value
      return inner
    }
    expect(messageOf(() => same(circle(1), circle(2), 'the circle'))).toContain('the circle: not as expected')
  })
})

describe('holds', () => {
  it('fails with the sentence', () => {
    holds(true, 'never seen')
    expect(messageOf(() => holds(false, '3 of 5 events are there'))).toBe('3 of 5 events are there')
  })
})

describe('failedWith', () => {
  it('accepts each of the codes', () => {
    failedWith(unavailable('no connection'), 'UNAVAILABLE', 'a call')
    failedWith(unavailable('no connection'), ['OUTCOME_UNKNOWN', 'UNAVAILABLE'], 'a call')
  })

  it('says what the call did instead, and keeps its error', () => {
    expect(messageOf(() => failedWith(undefined, 'CLOSED', 'a read after close'))).toBe('a read after close: expected CLOSED; it succeeded')
    expect(messageOf(() => failedWith('no', ['CLOSED', 'UNAVAILABLE'], 'a read'))).toBe(
      "a read: expected CLOSED or UNAVAILABLE; it failed with 'no'",
    )
    expect(messageOf(() => failedWith(new TypeError('no socket'), 'CLOSED', 'a read'))).toBe(
      'a read: expected CLOSED; it failed with TypeError: no socket',
    )
    const cause = closedError('the store')
    expect(() => failedWith(cause, 'UNAVAILABLE', 'a read')).toThrow(
      expect.objectContaining({ message: 'a read: expected UNAVAILABLE; it failed with CLOSED: the store is closed', cause }) as Error,
    )
  })
})
