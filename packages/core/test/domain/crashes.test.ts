import { describe, expect, test } from 'vitest'
import type { Crashes } from '../../src/domain/crashes.ts'
import { isSuspect, noCrashes, withCrash } from '../../src/domain/crashes.ts'
import { isSameJson } from '../../src/domain/json.ts'

const crashes = (...values: readonly (string | undefined)[]): Crashes =>
  values.reduce<Crashes>((before, value) => withCrash(before, value), noCrashes)

describe('a row of crashes', () => {
  test.each<[string, Crashes, number]>([
    ['grows without progress', crashes(undefined, undefined, undefined), 3],
    ['grows with the same value before each crash', crashes('a', 'a', 'a'), 3],
    ['counts the first crash, whatever was reported before it', crashes('a'), 1],
    ['begins again after a new value', crashes('a', 'a', 'b', 'b'), 2],
    ['begins again after the first value', crashes(undefined, undefined, 'a'), 1],
    ['goes on when the value is not known', crashes('a', undefined, 'a'), 3],
  ])('%s', (_what, { inARow }, expected) => {
    expect(inARow).toBe(expected)
  })
})

describe('a suspect', () => {
  const suspectAfter = (maxCrashes: number): readonly boolean[] => [0, 1, 2, 3].map((all) => isSuspect({ all, inARow: all }, maxCrashes))

  test('is a task after its second crash: the first may be that of any task on a killed node', () => {
    expect(suspectAfter(3)).toEqual([false, false, true, true])
  })
  test('is a task after its first crash if it survives only that one', () => {
    expect(suspectAfter(1)).toEqual([false, true, true, true])
  })
  test('is also a task that gets further between its crashes: it may take others along', () => {
    expect(isSuspect(crashes('a', 'b'), 3)).toBe(true)
  })
})

describe('the same JSON', () => {
  test.each([
    [{ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 1 }, false],
    [{ a: null }, { b: null }, false],
    [[], {}, false],
    [[1, 2], [2, 1], false],
    [null, {}, false],
    ['1', 1, false],
  ])('%j and %j: %s', (a, b, expected) => {
    expect(isSameJson(a, b)).toBe(expected)
    expect(isSameJson(b, a)).toBe(expected)
  })
})
