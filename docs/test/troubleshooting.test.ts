import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { linesOf, logLines } from './log-lines.ts'

const page = readFileSync(join(import.meta.dirname, '../reference/troubleshooting.md'), 'utf8')

/** The log lines that the page explains: the first column of its tables. */
const explained = [...page.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, line = '']) => line)

describe('the search for log lines', () => {
  it.for([
    ["logger.warn({}, 'lost')", 'warn: lost'],
    ['this.#node.logger?.error({}, `lost ${what}`)', 'error: lost …'],
    ["logger['warn']({}, 'lost')", 'warn: lost'],
    ["this.#logger[level]({}, 'lost')", 'warn or error: lost'],
    ["logger.warn({}, isOld ? 'lost' : 'late')", 'warn: lost, warn: late'],
    ["logger.info({}, 'found')", ''],
  ] as const)('%s', ([code, found]) => {
    expect(
      linesOf('a.ts', code)
        .map(({ level, message }) => `${level}: ${message}`)
        .join(', '),
    ).toBe(found)
  })

  it.for([
    'logger.warn({}, text)',
    'const warn = logger.warn',
    'const { error: log } = this.#logger',
    "(isBad ? logger.error : logger.warn)({}, 'lost')",
  ])('refuses %s, which hides a line from it', (code) => {
    expect(() => linesOf('a.ts', code)).toThrow('a.ts:1')
  })
})

describe('the troubleshooting page', () => {
  it('explains every warning and error that core, cassandra and rabbitmq log', () => {
    const missing = logLines().filter(({ message }) => !explained.includes(message))
    expect(missing.map(({ at, level, message }) => `${at} ${level}: ${message}`)).toEqual([])
  })

  it('explains no line that is not logged', () => {
    const logged = new Set(logLines().map(({ message }) => message))
    expect(explained.filter((line) => !logged.has(line))).toEqual([])
  })

  it('explains each line once', () => {
    expect(explained.filter((line, index) => explained.indexOf(line) !== index)).toEqual([])
  })
})
