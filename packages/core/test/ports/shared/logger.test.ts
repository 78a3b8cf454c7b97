import { consoleLogger, silentLogger, TaskledgerError } from '@taskledger/core/ports'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { errorFrom } from '../../../src/application/worker/ended-attempts.ts'
import { escaped } from '../../../src/ports/shared/escaped.ts'
import { logText } from '../../../src/ports/shared/log-text.ts'
import { describeError } from '../../../src/tasks/describe-error.ts'

afterEach(() => vi.restoreAllMocks())

test.each<[string, typeof consoleLogger, number]>([
  ['the console logger writes warnings and errors', consoleLogger, 1],
  ['the silent logger tells nothing', silentLogger, 0],
])('%s', (_what, logger, times) => {
  const methods = (['debug', 'info', 'log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name).mockImplementation(() => {}))
  const [debug, info, log, warn, error] = methods
  for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level]({ queue: 'mail' }, 'it is late')
  for (const method of [debug, info, log]) expect(method).not.toHaveBeenCalled()
  for (const method of [warn, error])
    expect(method?.mock.calls).toEqual(Array.from({ length: times }, () => ['[taskledger] it is late queue="mail"']))
})

/** What a terminal acts on: a line break is allowed where the logger itself breaks the line. */
const dangerous = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u

const attack = 'a\n[taskledger] all is well\r\u001b[2J\u009b31m\u202egpj.exe\u2028\u0000'

describe('the text of a log line', () => {
  test('has fields of every kind', () => {
    expect(logText({ taskId: 'x', running: ['a', 'b'], at: { ms: 3, is: true }, none: undefined, no: null, big: 3n }, 'it is late')).toBe(
      'it is late taskId="x" running=["a","b"] at={ms:3,is:true} none=undefined no=null big=3',
    )
  })

  test('has the causes of an error that was stored: its stack text has them', () => {
    const cause = new AggregateError([new TypeError('a part\n\u001b[2J')], 'the root cause')
    const stored = describeError(new Error('outer', { cause }))
    const lines = logText({ err: errorFrom(stored) }, 'failed a task').split('\n')
    expect(lines.filter((line) => !line.startsWith('    at '))).toEqual([
      'failed a task',
      '  Error: outer',
      '  Caused by: AggregateError: the root cause',
      '  One of its errors: TypeError: a part',
    ])
  })

  test('has the error, its frames and its causes below', () => {
    const error = new TaskledgerError('UNAVAILABLE', 'no answer', { cause: new RangeError('too far') })
    const lines = logText({ queue: 'mail', err: error }, 'failed to send').split('\n')
    expect(lines[0]).toBe('failed to send queue="mail"')
    expect(lines[1]).toBe('  TaskledgerError UNAVAILABLE: no answer')
    expect(lines[2]).toMatch(/^ {4}at .*logger\.test/)
    expect(lines).toContain('  caused by RangeError: too far')
    expect(logText({ err: 'only text' }, 'failed')).toBe('failed err="only text"')
    expect(logText('a text in place of fields', undefined)).toBe('undefined "a text in place of fields"')
  })

  const errorOf = (message: string): Error => Object.assign(new Error(message), { name: message, code: message, cause: new Error(message) })

  test.each<[string, object, string]>([
    ['the message', {}, attack],
    ['a field', { label: attack }, 'x'],
    ['the name of a field', { [attack]: 1 }, 'x'],
    ['a nested field', { labels: [attack, { [attack]: attack }] }, 'x'],
    ['an error', { err: errorOf(attack) }, 'x'],
    ['an error in a field', { error: errorOf(attack) }, 'x'],
    ['a symbol', { key: Symbol(attack) }, 'x'],
  ])('shows no control character of %s, and begins no line with it', (_where, fields, message) => {
    for (const line of logText(fields, message).split('\n')) {
      expect(line).not.toMatch(dangerous)
      expect(line).not.toMatch(/^\[taskledger\]/)
    }
  })

  test('is made of any value, and bounded', () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`k${index}`, 'x'.repeat(100_000)]))
    const unreadable = new Proxy({}, { ownKeys: () => expect.fail('no'), get: () => expect.fail('no') })
    let errors = new Error('x'.repeat(1_000_000))
    for (let depth = 0; depth < 100; depth++) errors = new Error('x', { cause: errors })
    expect(logText({ circular, wide: [wide], unreadable, err: errors }, 'x'.repeat(1_000_000)).length).toBeLessThan(100_000)
  })

  test('of any text is one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.anything(), (text, value) => {
        expect(logText({ text, value }, text)).not.toMatch(dangerous)
      }),
    )
  })
})

test('an escape is readable, and ordinary text is left as it is', () => {
  expect(escaped('a\n\t\u001b\u202e\ud800')).toBe('a\\n\\t\\u001b\\u202e\\ud800')
  expect(escaped('Grüße, 世界 👩‍👩‍👧 שלום')).toBe('Grüße, 世界 👩‍👩‍👧 שלום')
})

test('the message of an error has no control characters', () => {
  expect(new TaskledgerError('X', `key "${attack}"`).message).not.toMatch(dangerous)
})
