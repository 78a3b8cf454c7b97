import { setImmediate as nextTurn, setTimeout as realDelay } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { virtualClock } from '../../src/testing/index.ts'

describe('a virtual clock', () => {
  test('stands still until it is advanced', async () => {
    const clock = virtualClock(1_000)
    await realDelay(5)
    expect(clock.now()).toBe(1_000)
    await clock.advance(250)
    expect(clock.now()).toBe(1_250)
    await clock.advance(0)
    expect(clock.now()).toBe(1_250)
  })

  test('begins in 2024 by default, so that runs are alike', () => {
    expect(new Date(virtualClock().now()).toISOString()).toBe('2024-01-01T00:00:00.000Z')
  })

  test('is a clock of its own', async () => {
    const [one, other] = [virtualClock(0), virtualClock(0)]
    await one.advance(10)
    expect([one.now(), other.now()]).toEqual([10, 0])
  })
})

describe('what is scheduled', () => {
  test('is called at its time, ordered by time and then by scheduling', async () => {
    const clock = virtualClock(0)
    const calls: string[] = []
    for (const [name, ms] of [
      ['c', 30],
      ['a', 10],
      ['b1', 20],
      ['b2', 20],
      ['late', 31],
    ] as const)
      clock.schedule(ms, () => calls.push(`${name} at ${clock.now()}`))
    await clock.advance(30)
    expect(calls).toEqual(['a at 10', 'b1 at 20', 'b2 at 20', 'c at 30'])
    expect(clock.pendingTimers).toBe(1)
  })

  test('is never called from within schedule, and at once when the clock is advanced by 0', async () => {
    const clock = virtualClock(0)
    const callback = vi.fn<() => void>()
    clock.schedule(0, callback)
    clock.schedule(-5, callback)
    expect(callback).not.toHaveBeenCalled()
    await clock.advance(0)
    expect(callback).toHaveBeenCalledTimes(2)
    expect(clock.now()).toBe(0)
  })

  test('by a callback runs too, if it is within the time', async () => {
    const clock = virtualClock(0)
    const ticks: number[] = []
    const tick = (): void => {
      ticks.push(clock.now())
      clock.schedule(10, tick)
    }
    clock.schedule(10, tick)
    await clock.advance(35)
    expect(ticks).toEqual([10, 20, 30])
  })

  test('is not called after it was cancelled, and may be cancelled twice', async () => {
    const clock = virtualClock(0)
    const callback = vi.fn<() => void>()
    const cancel = clock.schedule(10, callback)
    cancel()
    cancel()
    expect(clock.pendingTimers).toBe(0)
    await clock.advance(20)
    expect(callback).not.toHaveBeenCalled()
  })

  test('can be cancelled by an earlier callback of the same time', async () => {
    const clock = virtualClock(0)
    const callback = vi.fn<() => void>()
    clock.schedule(10, () => cancel())
    const cancel = clock.schedule(10, callback)
    await clock.advance(10)
    expect(callback).not.toHaveBeenCalled()
  })

  test('may be cancelled after it ran', async () => {
    const clock = virtualClock(0)
    const cancel = clock.schedule(1, () => {})
    await clock.advance(1)
    expect(cancel).not.toThrow()
  })
})

describe('between two callbacks everything settles', () => {
  test('chains of promises settle before the next callback', async () => {
    const clock = virtualClock(0)
    const calls: string[] = []
    const chain = async (name: string): Promise<void> => {
      for (let step = 0; step < 100; step++) await Promise.resolve()
      calls.push(`${name} at ${clock.now()}`)
    }
    clock.schedule(10, () => void chain('first'))
    clock.schedule(11, () => void chain('second'))
    await clock.advance(20)
    expect(calls).toEqual(['first at 10', 'second at 11'])
  })

  test('so do turns of the real event loop', async () => {
    const clock = virtualClock(0)
    const calls: number[] = []
    clock.schedule(10, () => void nextTurn().then(() => calls.push(clock.now())))
    clock.schedule(11, () => {})
    await clock.advance(20)
    expect(calls).toEqual([10])
  })

  test('work that began before the advance may still schedule within it', async () => {
    const clock = virtualClock(0)
    const woken: number[] = []
    void nextTurn().then(() => clock.schedule(5, () => woken.push(clock.now())))
    await clock.advance(10)
    expect(woken).toEqual([5])
  })

  test('a loop of sleeps keeps its time', async () => {
    const clock = virtualClock(0)
    const woken: number[] = []
    const loop = (async () => {
      for (let round = 0; round < 3; round++) {
        await clock.sleep(10)
        woken.push(clock.now())
      }
    })()
    await clock.advance(100)
    await loop
    expect(woken).toEqual([10, 20, 30])
  })

  test('two concurrent advances run one after the other', async () => {
    const clock = virtualClock(0)
    const calls: number[] = []
    clock.schedule(15, () => calls.push(clock.now()))
    clock.schedule(5, () => calls.push(clock.now()))
    await Promise.all([clock.advance(10), clock.advance(10)])
    expect(calls).toEqual([5, 15])
    expect(clock.now()).toBe(20)
  })
})

describe('a sleep', () => {
  test('that is aborted rejects with the reason and leaves no timer', async () => {
    const clock = virtualClock(0)
    const controller = new AbortController()
    const sleeping = clock.sleep(10, controller.signal)
    expect(clock.pendingTimers).toBe(1)
    controller.abort(new Error('enough'))
    await expect(sleeping).rejects.toThrow('enough')
    expect(clock.pendingTimers).toBe(0)
  })

  test('whose signal is aborted already rejects', async () => {
    await expect(virtualClock().sleep(10, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  })

  test('that ended ignores an abort', async () => {
    const clock = virtualClock(0)
    const controller = new AbortController()
    const sleeping = clock.sleep(10, controller.signal)
    await clock.advance(10)
    controller.abort()
    await expect(sleeping).resolves.toBeUndefined()
  })
})

describe('a mistake', () => {
  test.each([-1, Number.NaN, Infinity])('is to advance by %d', (ms) => {
    expect(() => virtualClock().advance(ms)).toThrow('milliseconds, 0 to 315360000000')
  })

  test('is to schedule after NaN milliseconds', () => {
    expect(() => virtualClock().schedule(Number.NaN, () => {})).toThrow('is NaN: give a number')
  })

  test('is to schedule oneself without end: the advance rejects and does not hang', async () => {
    const clock = virtualClock(0)
    const again = (): void => void clock.schedule(0, again)
    again()
    await expect(clock.advance(10)).rejects.toThrow('schedules itself without a delay')
  }, 120_000)

  test('is to throw from a callback: the advance rejects, and the clock can go on', async () => {
    const clock = virtualClock(0)
    clock.schedule(5, () => {
      throw new Error('bug')
    })
    await expect(clock.advance(10)).rejects.toThrow('bug')
    await clock.advance(10)
    expect(clock.now()).toBe(15)
  })
})
