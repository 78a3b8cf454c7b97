import { expect, it } from 'vitest'
import { systemClock } from '../../../src/ports/shared/clock.ts'

it('the clock of the machine calls back not before the time, at whatever part of a millisecond it is asked', async () => {
  const early: number[] = []
  for (let time = 0; time < 100; time++) {
    const dueAt = systemClock.elapsed() + 2
    await new Promise<void>((resolve) => systemClock.schedule(2, resolve))
    if (systemClock.elapsed() < dueAt) early.push(dueAt - systemClock.elapsed())
  }
  expect(early).toEqual([])
})
