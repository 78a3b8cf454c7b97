import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { defineTask, unchecked } from '../../src/tasks/define-task.ts'
import { runTask, virtualClock } from '../../src/testing/index.ts'

const count = defineTask({
  type: 'count',
  payload: z.object({ words: z.array(z.string()), from: z.coerce.number().default(0) }),
  progress: unchecked<number>(),
  run({ payload, progress, lastProgress = 0, signal }) {
    for (let index = lastProgress; index < payload.words.length; index++) {
      signal.throwIfAborted()
      progress(index + 1)
    }
    return { counted: payload.words.length - lastProgress, from: payload.from }
  },
})

/** Runs until its signal is aborted, and then tidies up. */
const patient = defineTask({
  type: 'patient',
  progress: unchecked<string>(),
  run: ({ signal, progress }) =>
    new Promise((_resolve, reject) => {
      const stop = (): void => {
        progress('tidied up')
        reject(signal.reason as Error)
      }
      if (signal.aborted) stop()
      else signal.addEventListener('abort', stop)
    }),
})

const deaf = defineTask({ type: 'deaf', run: () => new Promise<never>(() => {}) })

describe('a body that runs alone', () => {
  test('returns its result, and reports its progress', async () => {
    const report = await runTask(count, { words: ['a', 'b'], from: '3' })
    expect(report).toEqual({ ended: 'returned', result: { counted: 2, from: 3 }, progress: [1, 2], aborted: false })
    expectTypeOf(report.result).toEqualTypeOf<{ counted: number; from: number } | undefined>()
    expectTypeOf(report.progress).toEqualTypeOf<readonly number[]>()
  })

  test('continues from the last progress', async () => {
    const report = await runTask(count, { words: ['a', 'b', 'c'] }, { lastProgress: 2, attempt: 2 })
    expect(report).toMatchObject({ result: { counted: 1 }, progress: [3] })
  })

  test('needs no payload if it takes none', async () => {
    const ping = defineTask({ type: 'ping', run: ({ attempt, fence, labels }) => ({ attempt, fence, labels }) })
    expect((await runTask(ping)).result).toEqual({ attempt: 1, fence: 1, labels: [] })
    expect((await runTask(ping, undefined, { attempt: 3, labels: ['a'] })).result).toEqual({ attempt: 3, fence: 3, labels: ['a'] })
    expect((await runTask(ping, undefined, { fence: 7 })).result).toMatchObject({ attempt: 1, fence: 7 })
  })

  test('throws, which is reported', async () => {
    const failing = defineTask({
      type: 'failing',
      run: () => {
        throw new RangeError('too far')
      },
    })
    expect(await runTask(failing)).toEqual({ ended: 'threw', error: new RangeError('too far'), progress: [], aborted: false })
  })

  test('may return nothing', async () => {
    const silent = defineTask({ type: 'silent', run: () => {} })
    expect(await runTask(silent)).toEqual({ ended: 'returned', progress: [], aborted: false })
  })

  test('fails if its result is not JSON, as in a worker', async () => {
    const careless = defineTask({ type: 'careless', run: (): unknown => ({ at: new Date() }) })
    expect(await runTask(careless)).toMatchObject({
      ended: 'threw',
      error: { code: 'NOT_JSON', message: expect.stringContaining('result.at') as string },
    })
  })

  test('fails if its progress is not JSON, as in a worker', async () => {
    const careless = defineTask({ type: 'careless', run: ({ progress }) => progress<unknown>(1n) })
    expect(await runTask(careless)).toMatchObject({
      ended: 'threw',
      error: { code: 'NOT_JSON', message: expect.stringContaining('progress is a BigInt') as string },
    })
  })

  test('does not run if a submit would refuse the payload', async () => {
    await expect(runTask(count, { words: 'a' as never })).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' })
    await expect(runTask(count, { words: [1n as never] })).rejects.toMatchObject({ code: 'NOT_JSON' })
    await expect(runTask(count, { words: ['x'.repeat(300_000)] })).rejects.toMatchObject({ code: 'TOO_LARGE' })
  })
})

describe('a body that is cancelled', () => {
  test('is notified by its signal, and its end is reported', async () => {
    const clock = virtualClock(0)
    const running = runTask(patient, undefined, { cancelAfterMs: 60_000, clock })
    await clock.advance(60_000)
    expect(await running).toMatchObject({ ended: 'threw', aborted: true, progress: ['tidied up'], error: { code: 'CANCEL_REQUESTED' } })
    expect(clock.pendingTimers).toBe(0)
  })

  test('also on the system clock', async () => {
    expect(await runTask(patient, undefined, { cancelAfterMs: 1 })).toMatchObject({ ended: 'threw', aborted: true })
  })

  test('is abandoned if it does not react to its signal', async () => {
    const clock = virtualClock(0)
    const running = runTask(deaf, undefined, { cancelAfterMs: 1_000, cancelGraceMs: 5_000, clock })
    await clock.advance(6_000)
    expect(await running).toEqual({ ended: 'abandoned', aborted: true, progress: [] })
    expect(clock.pendingTimers).toBe(0)
  })

  test('may be notified by a signal of its caller', async () => {
    const controller = new AbortController()
    const running = runTask(patient, undefined, { signal: controller.signal })
    controller.abort(new Error('enough'))
    expect(await running).toMatchObject({ aborted: true, error: new Error('enough') })
    expect(await runTask(patient, undefined, { signal: AbortSignal.abort(new Error('before')) })).toMatchObject({
      aborted: true,
      error: new Error('before'),
    })
  })

  test('that ended before leaves no timer', async () => {
    const clock = virtualClock(0)
    expect(await runTask(count, { words: ['a'] }, { cancelAfterMs: 60_000, clock })).toMatchObject({ ended: 'returned', aborted: false })
    expect(clock.pendingTimers).toBe(0)
  })
})
