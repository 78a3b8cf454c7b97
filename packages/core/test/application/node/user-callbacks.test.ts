import type { Logger } from '@taskledger/core'
import { defineTask } from '@taskledger/core'
import { callSafely } from '../../../src/ports/shared/call-safely.ts'
import { neverThrowing } from '@taskledger/core/ports'
import { testManager } from '@taskledger/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'

/** Collects the rejections that would end a process. */
const unhandled = (): readonly unknown[] => {
  const rejections: unknown[] = []
  const keep = (reason: unknown): void => void rejections.push(reason)
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', keep)
  onTestFinished(() => {
    process.removeListener('unhandledRejection', keep)
    for (const other of others) process.on('unhandledRejection', other)
  })
  return rejections
}

/** Node reports an unhandled rejection after the microtasks of a turn. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** JavaScript takes it where a type asks for a function that returns nothing. */
const rejecting: () => void = (): unknown => Promise.reject(new Error('rejected on purpose'))

describe('an async callback of the user that rejects does not end the process', () => {
  it('as a listener of notices; the log says so', async () => {
    const rejections = unhandled()
    const lines: string[] = []
    const keep = (_: object, message: string): void => void lines.push(message)
    const quick = defineTask({ type: 'quick', run: () => {} })
    await using test = await testManager({ tasks: [quick], logger: { debug: () => {}, info: () => {}, warn: keep, error: keep } })
    test.manager.subscribe(rejecting)
    test.manager.subscribe(() => {
      throw new Error('thrown on purpose')
    })
    await test.manager.submit(quick)
    await test.settled()
    await turns()
    expect(rejections).toEqual([])
    expect(new Set(lines)).toEqual(new Set(['a listener of the event bus threw']))
  })

  it('as a logger', async () => {
    const rejections = unhandled()
    const logger: Logger = { debug: rejecting, info: rejecting, warn: rejecting, error: rejecting }
    const failing = defineTask({
      type: 'failing',
      run: ({ logger: own }) => {
        own.warn({}, 'here')
        throw new Error('boom')
      },
    })
    await using test = await testManager({ tasks: [failing], logger })
    const handle = await test.manager.submit(failing)
    await test.settled()
    await turns()
    expect(rejections).toEqual([])
    expect(await handle.details()).toMatchObject({ status: 'failed' })
  })

  it('as a logger of an adapter', async () => {
    const rejections = unhandled()
    const logger = neverThrowing({
      debug: rejecting,
      info: rejecting,
      warn: rejecting,
      error: rejecting,
    })
    for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level]({}, 'a line')
    await turns()
    expect(rejections).toEqual([])
  })

  it('as anything that looks like a promise', async () => {
    const rejections = unhandled()
    const errors: unknown[] = []
    const failing = (): never => {
      throw new Error('then')
    }
    // oxlint-disable-next-line unicorn/no-thenable -- a callback may return anything
    const thenables = [{ value: failing }, { get: failing }].map((then) => Object.defineProperty<object>({}, 'then', then))
    for (const returned of [...thenables, null, 1, undefined])
      callSafely(
        () => returned,
        (error) => errors.push(error),
      )
    await turns()
    expect(errors).toHaveLength(2)
    expect(rejections).toEqual([])
  })
})
