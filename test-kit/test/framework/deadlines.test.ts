import { outcomeUnknown, unavailable } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import { Waits } from '../../src/framework/deadlines.ts'
import { resultOf, ruleOf } from './sample-contract.ts'

const never = (): Promise<never> => new Promise(() => {})

describe('waitUntil', () => {
  it('resolves when the condition holds, also after failures that may pass', async () => {
    const answers = [() => Promise.reject(unavailable('no connection')), () => Promise.reject(outcomeUnknown('no answer')), () => true]
    await new Waits(10_000).waitUntil('the engine is back', () => answers.shift()?.() ?? false)
    expect(answers).toEqual([])
  })

  it('says what it waited for, and the last error that it saw', async () => {
    const failure = unavailable('no connection')
    const waiting = new Waits(20).waitUntil('the history can be read, after cut 3 of 20', () => Promise.reject(failure))
    await expect(waiting).rejects.toMatchObject({
      message: 'Timed out after 20 ms waiting until the history can be read, after cut 3 of 20; last error: UNAVAILABLE: no connection',
      cause: failure,
    })
  })

  it('counts a condition that throws before it returns a promise in the same way', async () => {
    const condition = (): boolean => {
      throw unavailable('no connection')
    }
    await expect(new Waits(20).waitUntil('it is back', condition)).rejects.toThrow('last error: UNAVAILABLE: no connection')
  })

  it('says nothing about errors where there was none', async () => {
    await expect(new Waits(20).waitUntil('the message came back', () => false)).rejects.toThrow(
      /^Timed out after 20 ms waiting until the message came back$/,
    )
  })

  it('says that the last check did not end', async () => {
    await expect(new Waits(20).waitUntil('the depth is 3', never)).rejects.toThrow(
      'waiting until the depth is 3; the last check did not end',
    )
  })

  it('ends with any other failure', async () => {
    const failure = new Error('the row is malformed')
    await expect(new Waits(10_000).waitUntil('the row is there', () => Promise.reject(failure))).rejects.toBe(failure)
  })
})

describe('within', () => {
  it('names the step, and the last error that a wait saw', async () => {
    const waits = new Waits(20)
    await expect(waits.within('the append ends', never())).rejects.toThrow(/^Timed out after 20 ms waiting until the append ends$/)
    const answers = [() => Promise.reject(unavailable('no connection')), () => true]
    await waits.waitUntil('the engine is back', () => answers.shift()?.() ?? false)
    await expect(waits.within('the second append ends', never())).rejects.toThrow(
      'until the second append ends; last error: UNAVAILABLE: no connection (while waiting until the engine is back)',
    )
  })

  it('passes on what the promise resolves to or is rejected with', async () => {
    const waits = new Waits(10_000)
    expect(await waits.within('the call ends', Promise.resolve(7))).toBe(7)
    const failure = unavailable('no connection')
    await expect(waits.within('the call ends', Promise.reject(failure))).rejects.toBe(failure)
  })
})

describe('a rule', () => {
  it('has the waits, as functions that stand alone', async () => {
    const waiting = ruleOf('S-30', ({ waitUntil }) => waitUntil('the engine is back', () => Promise.reject(unavailable('no connection'))))
    const { message } = await resultOf(waiting, { timing: { deadlineMs: 20 } })
    expect(message).toContain('Timed out after 20 ms waiting until the engine is back; last error: UNAVAILABLE: no connection')
  })

  it('that fails in a wait says in which', async () => {
    const failing = ruleOf('S-32', ({ within }) => within('the append ends', Promise.reject(new Error('two writers won'))))
    const { message } = await resultOf(failing)
    expect(message).toContain('two writers won')
    expect(message).toContain('While: waiting until the append ends')
  })

  it('that never ends says what it waits for', async () => {
    const endless = ruleOf('S-31', async ({ waitUntil }) => {
      for (let round = 1; ; round++) await waitUntil(`round ${round} is over`, () => new Promise((resolve) => setTimeout(resolve, 2, true)))
    })
    const { message } = await resultOf(endless, { timing: { deadlineMs: 5 } })
    expect(message).toMatch(/Timed out after 150 ms waiting until the rule ends; it waits until round \d+ is over/)
  })
})
