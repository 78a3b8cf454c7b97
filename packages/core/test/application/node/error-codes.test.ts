import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ErrorCode, TaskDetails, TaskId } from '@taskledger/core'
import { codeOf, hasCode, isMisuse, isTaskAborted, TaskledgerError } from '@taskledger/core'
import { MisuseError } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import { TaskAborted, unsuccessful } from '../../../src/application/node/errors.ts'

const root = join(import.meta.dirname, '../../../../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

/** The codes that an interface has as its properties. */
const codesOf = (file: string, name: string): readonly string[] => {
  const [body = ''] = new RegExp(`interface ${name}[^}]*(?:\\{[^}]*\\}[^}]*)*\\n\\}`).exec(read(file)) ?? []
  return [...body.matchAll(/^ {2}readonly ([A-Z_]+):/gm)].map(([, code = '']) => code)
}

const codes = new Set([
  ...codesOf('packages/core/src/ports/shared/errors.ts', 'PortErrorByCode'),
  ...codesOf('packages/core/src/application/node/error-codes.ts', 'ErrorByCode'),
])
const explained = [...read('docs/reference/errors.md').matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, code = '']) => code)

describe('the codes that hasCode takes', () => {
  it('are those that the page of errors explains', () => {
    expect(codes.size).toBe(34)
    expect([...codes].sort()).toEqual([...explained].sort())
  })
})

describe('hasCode', () => {
  const taskId = '018cc251-f400-7000-8000-000000000000' as TaskId

  it('tells a code from every other one', () => {
    for (const code of codes as ReadonlySet<ErrorCode>) {
      const error = new TaskledgerError(code, 'a message')
      expect([...(codes as ReadonlySet<ErrorCode>)].filter((other) => hasCode(error, other))).toEqual([code])
    }
  })

  it('takes anything, and an error of another copy of the package', () => {
    for (const thrown of [undefined, null, 'TASK_FAILED', { code: 7 }, new Error('TASK_FAILED')])
      expect(hasCode(thrown, 'TASK_FAILED')).toBe(false)
    expect(hasCode(Object.assign(new Error('from another copy'), { code: 'TASK_FAILED' }), 'TASK_FAILED')).toBe(true)
  })

  it('gives what belongs to the code', () => {
    const details = { taskId, type: 'reindex', status: 'cancelled', cancelReason: 'too slow' } as TaskDetails
    const error: unknown = unsuccessful(details)
    expect(hasCode(error, 'TASK_CANCELLED') && error.details.cancelReason).toBe('too slow')
  })
})

describe('the guards of more than one code', () => {
  it('isTaskAborted takes the reason of a task signal, whatever its code', () => {
    for (const code of ['CANCEL_REQUESTED', 'TIMED_OUT', 'SHUTTING_DOWN', 'ATTEMPT_LOST', 'LEASE_LOST'] as const)
      expect(isTaskAborted(new TaskAborted(code, 'a message'))).toBe(true)
    expect(isTaskAborted(new TaskledgerError('TASK_CANCELLED', 'a message'))).toBe(false)
    expect(isTaskAborted(undefined)).toBe(false)
  })

  it('isMisuse takes every mistake of the program, whatever its code', () => {
    expect(isMisuse(new MisuseError('ALREADY_REGISTERED', 'a message'))).toBe(true)
    expect(codeOf(new MisuseError('MISUSE', 'a message'))).toBe('MISUSE')
    expect(isMisuse(new TypeError('a message'))).toBe(false)
  })
})
