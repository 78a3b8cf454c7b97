import { defineTask, unchecked } from '@taskledger/core'
import { testManager } from '@taskledger/core/testing'
import { describe, expect, it } from 'vitest'

const noop = defineTask({ type: 'noop', payload: unchecked<number | undefined>(), run: () => {} })
const minute = 60_000

describe('a submit with delayMs', () => {
  it('starts the task after the delay, and not before', async () => {
    await using test = await testManager({ tasks: [noop] })
    const submittedAt = test.clock.now()
    const task = await test.manager.submit(noop, 1, { delayMs: minute })
    expect(await task.details()).toMatchObject({ status: 'waiting', dueAt: submittedAt + minute })
    await test.advance(minute - 1)
    expect((await task.details()).status).toBe('waiting')
    await test.advance(1)
    expect(await task.details()).toMatchObject({ status: 'completed', startedAt: submittedAt + minute })
  })

  it('of 0 starts the task at once, on a node whose clock is behind, too', async () => {
    await using test = await testManager({ tasks: [noop], worker: false })
    const task = await test.manager.submit(noop, 1, { delayMs: 0 })
    expect((await task.details()).dueAt).toBeUndefined()
  })

  it('delays every task of a submitMany', async () => {
    await using test = await testManager({ tasks: [noop], worker: false })
    const submittedAt = test.clock.now()
    for (const task of await test.manager.submitMany(noop, [1, 2, 3], { delayMs: minute }))
      expect((await task.details()).dueAt).toBe(submittedAt + minute)
  })

  it('and with notBefore is a misuse with a code', async () => {
    await using test = await testManager({ tasks: [noop], worker: false })
    const both = test.manager.submit(noop, 1, { delayMs: 0, notBefore: test.clock.now() })
    await expect(both).rejects.toMatchObject({ code: 'MISUSE', message: 'notBefore and delayMs are both given: give one of them' })
  })
})
