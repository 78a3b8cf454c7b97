import { defineTask } from '@taskledger/core'
import { testManager } from '@taskledger/core/testing'
import { expect, it } from 'vitest'

it('what a body reports after it was left behind leaves no timer behind, and does not throw', async () => {
  let report: (value: unknown) => void = () => {}
  const deaf = defineTask({
    type: 'deaf',
    run: ({ progress }) => {
      report = progress
      return new Promise(() => {})
    },
  })
  await using test = await testManager({ tasks: [deaf], worker: { cancelGraceMs: 10 } })
  await test.advance(3_600_000)
  const before = test.clock.pendingTimers
  const task = await test.manager.submit(deaf)
  await test.advance(0)
  report('in time')
  await task.cancel()
  await test.advance(10)
  const details = await task.details()
  expect(details).toMatchObject({ status: 'cancelled', abandoned: true, progress: { value: 'in time' } })
  report('too late')
  await test.advance(3_600_000)
  expect(test.clock.pendingTimers).toBe(before)
  expect(await task.details()).toEqual(details)
})
