import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { logLines } from './log-lines.ts'

const page = readFileSync(join(import.meta.dirname, '../reference/troubleshooting.md'), 'utf8')

/** The log lines that the page explains: the first column of its tables. */
const explained = [...page.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, line = '']) => line)

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
