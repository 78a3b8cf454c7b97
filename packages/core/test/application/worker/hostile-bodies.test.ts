import type { RunnableTask, TaskFactory } from '@taskledger/core'
import { defineTask, isFinalStatus, silentLogger, unchecked } from '@taskledger/core'
import { testManager } from '@taskledger/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hostileValues } from './hostile-values.ts'

/** What the bodies throw or return, in order of their payloads. */
const made: (() => unknown)[] = []

const hostile = defineTask({
  type: 'hostile',
  payload: unchecked<{ readonly index: number; readonly how: 'throws' | 'returns' | 'rejects' | 'reports' }>(),
  run: ({ payload: { index, how }, progress }): unknown => {
    const value = made[index]?.()
    if (how === 'throws') throw value
    if (how === 'reports') progress(value)
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- a body may reject with anything
    return how === 'rejects' ? Promise.reject(value) : value
  },
})

const ways = ['throws', 'returns', 'rejects', 'reports'] as const

describe('an attempt ends, whatever the value, with a body', () => {
  for (const how of ways)
    it(`that ${how} it`, { timeout: 60_000 }, async () => {
      await using test = await testManager({ tasks: [hostile], worker: { slots: 200 }, logger: silentLogger })
      const from = made.push(...hostileValues.map(([, make]) => make)) - hostileValues.length
      const handles = await test.manager.submitMany(
        hostile,
        hostileValues.map((_, index) => ({ index: from + index, how })),
      )
      await test.advance(30_000)
      const open: string[] = []
      for (const [index, handle] of handles.entries()) {
        const { status } = await handle.details()
        if (!isFinalStatus(status)) open.push(`${hostileValues[index]?.[0]}: ${status}`)
        if (how === 'throws' || how === 'rejects')
          expect([hostileValues[index]?.[0], status]).toEqual([hostileValues[index]?.[0], 'failed'])
      }
      expect(open).toEqual([])
      expect(test.manager.worker?.running).toEqual([])
    })

  it('that throws, with attempts left: it is retried', async () => {
    const flaky = defineTask({
      type: 'flaky',
      retry: { maxAttempts: 3, backoff: { initialMs: 10 } },
      run: ({ attempt }) => {
        if (attempt < 3)
          throw {
            get code() {
              throw new Error('read on purpose')
            },
          }
      },
    })
    await using test = await testManager({ tasks: [flaky], logger: silentLogger })
    const handle = await test.manager.submit(flaky)
    await test.advance(30_000)
    expect(await handle.details()).toMatchObject({ status: 'completed', attempt: 3 })
  })

  it('that throws, and the code that works out its end throws as well: it fails', async () => {
    let isBroken = false
    const random = (): number => {
      if (!isBroken) return 0.5
      isBroken = false
      throw new Error('no entropy')
    }
    const plain = defineTask({
      type: 'plain',
      run: () => {
        isBroken = true
        throw new Error('boom')
      },
    })
    await using test = await testManager({ tasks: [plain], logger: silentLogger, random })
    const handle = await test.manager.submit(plain)
    await test.advance(30_000)
    expect(await handle.details()).toMatchObject({ status: 'failed', error: { message: 'no entropy' } })
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['an object without a body', {}],
    [
      'an object that cannot be read',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('read on purpose')
          },
        },
      ),
    ],
  ])('that a factory makes of %s: it fails', async (_what, runnable) => {
    const plain = defineTask({ type: 'plain', run: () => {} })
    const factory: TaskFactory = {
      ...plain,
      encode: (payload) => plain.encode(payload),
      decode: () => Promise.resolve(runnable as RunnableTask),
    }
    await using test = await testManager({ tasks: [factory], logger: silentLogger })
    const handle = await test.manager.submit(plain)
    await test.advance(60_000)
    expect(await handle.details()).toMatchObject({ status: 'failed' })
  })

  it('that throws or returns any value', { timeout: 60_000 }, async () => {
    await using test = await testManager({ tasks: [hostile], worker: { slots: 10 }, logger: silentLogger })
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
    })
    await fc.assert(
      fc.asyncProperty(anything, fc.constantFrom(...ways), async (value, how) => {
        const index = made.push(() => value) - 1
        const handle = await test.manager.submit(hostile, { index, how })
        await test.advance(3_000)
        expect(isFinalStatus((await handle.details()).status)).toBe(true)
      }),
    )
  })
})
