import { describe, expect, test } from 'vitest'
import type { ChecksOf } from '../../../src/ports/shared/check-options.ts'
import { checkOptions, objectOf } from '../../../src/ports/shared/check-options.ts'
import { checkClock, checkFunction, checkLogger, checkMs, checkOneOf, checkSignal, checkText } from '../../../src/ports/shared/checks.ts'
import { systemClock } from '../../../src/ports/shared/clock.ts'

interface SendOptions {
  readonly delayMs?: number | undefined
  readonly subject?: string | undefined
  readonly retry?: { readonly maxAttempts?: number | undefined } | undefined
  readonly signal?: AbortSignal | undefined
}

const checks = {
  delayMs: checkMs,
  subject: (name, value) => checkText(name, value, 20),
  retry: objectOf({ maxAttempts: (name, value) => checkMs(name, value) }),
  signal: checkSignal,
} satisfies ChecksOf<SendOptions>

const send = (given: unknown) => checkOptions('send', given, checks, { priority: 'priorities are not supported' })

/** The error of options that are refused. */
const refusalOf = (given: unknown): unknown => {
  try {
    send(given)
  } catch (error) {
    return error
  }
  throw new Error('the options were not refused')
}

describe('options', () => {
  test('are returned as a copy, with undefined for what is left out', () => {
    const given = { delayMs: 3, retry: { maxAttempts: 2 }, subject: undefined }
    const checked = send(given)
    expect(checked).toEqual({ delayMs: 3, retry: { maxAttempts: 2 } })
    expect(checked).not.toBe(given)
    expect(checked.retry).not.toBe(given.retry)
  })

  test('may be left out', () => {
    expect(send(undefined)).toEqual({})
  })

  test('may be inherited, or be those of an instance', () => {
    class Later {
      get delayMs(): number {
        return 7
      }
    }
    expect(send(new Later()).delayMs).toBe(7)
    expect(send(Object.assign(Object.create(null) as object, { delayMs: 7 })).delayMs).toBe(7)
  })

  test.each<[unknown, string]>([
    [null, 'the options of send are null: give an object'],
    ['later', 'the options of send are "later": give an object'],
    [[], 'the options of send are an array: give an object'],
    [() => ({}), 'the options of send are a function: give an object'],
    [new Date(0), 'the options of send are a Date: give an object'],
    [new Map([['delayMs', 3]]), 'the options of send are a Map: give an object'],
    [new Set(['delayMs']), 'the options of send are a Set: give an object'],
    [Promise.resolve({ delayMs: 3 }), 'the options of send are a Promise: await it first'],
    [{ retry: Promise.resolve({ maxAttempts: 3 }) }, 'retry is a Promise: give an object of maxAttempts'],
    [{ delayMs: 3n }, 'delayMs is 3n: give milliseconds, 0 to 315360000000'],
    [{ retry: 3 }, 'retry is 3: give an object of maxAttempts'],
    [{ retry: null }, 'retry is null: give an object of maxAttempts'],
    [{ delayMs: '3' }, 'delayMs is "3": give milliseconds, 0 to 315360000000'],
    [{ delayMs: null }, 'delayMs is null: give milliseconds, 0 to 315360000000'],
    [{ subject: '\ud800' }, 'subject is "\\ud800": give a text of whole characters: it has half of a surrogate pair'],
    [{ retry: { maxAttempts: 'x' } }, 'retry.maxAttempts is "x": give milliseconds, 0 to 315360000000'],
    [{ signal: new AbortController() }, 'signal is an object: give the signal of the AbortController'],
    [{ signal: {} }, 'signal is an object: give an AbortSignal'],
  ])('%o are refused', (given, message) => {
    expect(refusalOf(given)).toMatchObject({ code: 'MISUSE', message })
  })
})

describe('a name that is no option', () => {
  test.each<[object, string]>([
    [{ delay: 3 }, 'send has no option "delay": did you mean delayMs?'],
    [{ delay: undefined }, 'send has no option "delay": did you mean delayMs?'],
    [{ delayMS: 3 }, 'send has no option "delayMS": did you mean delayMs?'],
    [{ runAfterDelay: 3 }, 'send has no option "runAfterDelay": did you mean delayMs?'],
    [{ subjct: 'x' }, 'send has no option "subjct": did you mean subject?'],
    [{ attempts: 3 }, 'send has no option "attempts": did you mean retry?'],
    [{ retry: { attempts: 3 } }, 'retry has no option "attempts": did you mean maxAttempts?'],
    [{ priority: 1 }, 'send has no option "priority": priorities are not supported'],
    [{ colour: 1 }, 'send has no option "colour": its options are delayMs, subject, retry, signal'],
    [{ constructor: 1 }, 'send has no option "constructor": its options are delayMs, subject, retry, signal'],
    [{ ['x'.repeat(1_000)]: 1 }, `send has no option "${'x'.repeat(59)}…": its options are delayMs, subject, retry, signal`],
    [JSON.parse('{ "__proto__": 1 }') as object, 'send has no option "__proto__": its options are delayMs, subject, retry, signal'],
  ])('%o is refused, with the name that was meant', (given, message) => {
    expect(refusalOf(given)).toMatchObject({ code: 'MISUSE', message })
  })

  test('is refused by a call that has no options', () => {
    expect(() => checkOptions('stop', { now: true }, {})).toThrow('stop has no option "now": it has none')
  })
})

test.each<[string, () => unknown, string]>([
  ['a function', () => checkFunction('run', 3), 'run is 3: give a function'],
  ['a logger', () => checkLogger('logger', { info() {} }), 'logger is an object: give an object with the methods debug'],
  ['a clock', () => checkClock('clock', Date), 'clock is a function: give an object with the methods now'],
  ['a choice', () => checkOneOf('mode', 'random', ['parallel', 'serial']), 'mode is "random": give "parallel" or "serial"'],
])('a check of %s says what it wants', (_what, check, message) => {
  expect(check).toThrow(message)
})

test('loggers, clocks and signals of any kind are accepted', () => {
  expect(checkLogger('logger', console)).toBe(console)
  expect(checkClock('clock', systemClock)).toBe(systemClock)
  expect(checkSignal('signal', AbortSignal.timeout(1_000))).toBeInstanceOf(AbortSignal)
})
