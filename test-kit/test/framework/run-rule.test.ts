import { setTimeout as sleep } from 'node:timers/promises'
import type { Harness, Subject } from '@taskledger/test-kit'
import { runContract } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'
import type { Port } from './sample-contract.ts'
import { breaks, contractOf, holds, port, resultOf, ruleOf } from './sample-contract.ts'

const never = (): Promise<never> => new Promise(() => {})
const sample = (): Subject<Port> => ({ port: port(), peer: async () => port() })

describe('a rule', () => {
  it('passes if it holds', async () => {
    expect(await resultOf(holds)).toMatchObject({ id: 'S-1', status: 'passed' })
  })

  it('fails with its id, the error, what it saw, the hint, the state of the engine and the seed', async () => {
    const { results, ok } = await runContract(
      contractOf([breaks], { open: async () => ({ port: port(), peer: async () => port(), inspect: () => ({ rows: 7 }) }) }),
      { seed: 42 },
    )
    expect(ok).toBe(false)
    expect(results[0]?.status).toBe('failed')
    for (const part of ['[S-2] rule S-2 holds (engine 1.0)', 'two writers won', 'a history', 'Hint: look closer', 'rows: 7', 'Seed: 42'])
      expect(results[0]?.message).toContain(part)
  })

  it('says what it waited for when it timed out', async () => {
    const waiting = ruleOf('S-3', ({ waitUntil }) => waitUntil('the message came back', () => false))
    expect((await resultOf(waiting, { timing: { deadlineMs: 20 } })).message).toContain(
      'Timed out after 20 ms waiting until the message came back',
    )
    const hanging = ruleOf('S-4', ({ within }) => within('the call ended', new Promise(() => {})))
    expect((await resultOf(hanging, { timing: { deadlineMs: 20 } })).message).toContain('waiting until the call ended')
  })

  it('is ended if it never ends', async () => {
    expect(
      await resultOf(
        ruleOf('S-5', () => new Promise(() => {})),
        { timing: { deadlineMs: 5 } },
      ),
    ).toMatchObject({ status: 'failed' })
  })

  it('fails if it leaves an unhandled rejection, and the rules beside it do not', async () => {
    const careless = ruleOf('S-6', async () => void Promise.reject(new Error('left behind')))
    const late = ruleOf('S-10', async () => {
      setTimeout(() => void Promise.reject(new Error('left behind later')), 5)
      await sleep(20)
    })
    const beside = ['S-11', 'S-12'].map((id) => ruleOf(id, () => sleep(30)))
    const { results } = await runContract(contractOf([careless, late, ...beside]))
    expect(results.map(({ status }) => status)).toEqual(['failed', 'failed', 'passed', 'passed'])
    expect(results[0]?.message).toContain('left behind')
    expect(results[1]?.message).toContain('left behind later')
  })

  it('does not fail for a rejection of no rule: the report has it', async () => {
    const fromElsewhere = (): Promise<void> => Promise.reject(new Error('the pool broke'))
    let breakPool = (): void => {}
    void new Promise<void>((resolve) => (breakPool = resolve)).then(fromElsewhere)
    const breaker = ruleOf('S-13', async () => {
      breakPool()
      await sleep(20)
    })
    const { results, ok } = await runContract(contractOf([breaker, ruleOf('S-14', () => sleep(30))]))
    expect(ok).toBe(false)
    expect(results.map(({ status }) => status)).toEqual(['passed', 'passed', 'failed'])
    expect(results[2]).toMatchObject({ id: 'unhandled', message: expect.stringContaining('S-13, S-14') as string })
    expect(results[2]?.message).toContain('the pool broke')
  })

  it('is not reported again for a late rejection after its failure', async () => {
    const gate = Promise.withResolvers<void>()
    const reported = new Promise((resolve) => process.once('unhandledRejection', resolve))
    const leaver = ruleOf('S-20', async () => {
      void gate.promise.then(() => {
        throw new Error('left behind')
      })
      throw new Error('broken')
    })
    const other = ruleOf('S-21', async () => {
      // The first rule is over.
      await sleep(20)
      gate.resolve()
      await reported
    })
    const { results } = await runContract(contractOf([leaver, other]))
    expect(results.map(({ id, status }) => [id, status])).toEqual([
      ['S-20', 'failed'],
      ['S-21', 'passed'],
    ])
  })

  it('ends in an error, not in a failure, if the subject cannot be opened or closed', async () => {
    const closed = { open: () => Promise.reject(new Error('no server')) }
    expect(await resultOf(holds, closed)).toMatchObject({ status: 'error', message: expect.stringContaining('no server') as string })
    const stuck = {
      open: async () => ({ port: port(), peer: async () => port(), [Symbol.asyncDispose]: () => Promise.reject(new Error('cannot go')) }),
    }
    expect(await resultOf(holds, stuck)).toMatchObject({ status: 'error', message: expect.stringContaining('cannot go') as string })
    expect(await resultOf(breaks, stuck)).toMatchObject({ status: 'failed' })
  })

  it.each<readonly [string, Partial<Harness<Port>>]>([
    ['open', { open: () => never(), timing: { openMs: 2 } }],
    ['dispose', { open: async () => ({ ...sample(), [Symbol.asyncDispose]: never }), timing: { disposeMs: 2 } }],
    ['cut', { open: async () => ({ ...sample(), faults: { cut: never } }), timing: { hookMs: 2 } }],
    ['the end of stall', { open: async () => ({ ...sample(), faults: { stall: async () => never } }), timing: { hookMs: 2 } }],
  ])('ends in an error that names the step of the harness if "%s" does not end', async (step, harness) => {
    const rule = ruleOf('S-22', async ({ faults }) => {
      await (
        await faults.stall?.()
      )?.()
      await faults.cut?.()
    })
    const { status, message } = await resultOf(rule, harness)
    expect(status).toBe('error')
    expect(message).toContain(`The harness failed in "${step}": TimedOut: Timed out after 2 ms waiting until "${step}" of the harness ends`)
  })

  it('ends in an error if a hook of the harness fails', async () => {
    const rule = ruleOf('S-23', async ({ inject }) => inject?.(new Uint8Array(), 'row'))
    const harness = { open: async () => ({ ...sample(), inject: () => Promise.reject(new Error('no such table')) }) }
    const { status, message } = await resultOf(rule, harness)
    expect([status, message]).toEqual(['error', expect.stringContaining('The harness failed in "inject": Error: no such table')])
  })

  it('ends in an error if the kit itself fails, and disposes of the subject', async () => {
    let disposed = false
    const subject = { port: port(), peer: async () => port(), [Symbol.asyncDispose]: async () => void (disposed = true) }
    const confused = ruleOf('S-15', async () => {}, {
      notShown() {
        throw new Error('no idea')
      },
    })
    expect(await resultOf(confused, { open: async () => subject })).toMatchObject({
      status: 'error',
      message: expect.stringContaining('no idea') as string,
    })
    expect(disposed).toBe(true)
  })

  it('works on a subject that is an instance of a class', async () => {
    class Engine implements Subject<Port> {
      readonly #rows: string[] = []
      readonly port = port()
      async peer(): Promise<Port> {
        this.#rows.push('peer')
        return port()
      }
      async inject(_bytes: Uint8Array, where: string): Promise<void> {
        this.#rows.push(where)
      }
      inspect(): readonly string[] {
        return this.#rows
      }
    }
    const rule = ruleOf('S-16', async ({ peer, inject, inspect }) => {
      await peer()
      await inject?.(new Uint8Array(), 'row')
      throw new Error(`rows: ${String(inspect?.())}`)
    })
    expect((await resultOf(rule, { open: async () => new Engine() })).message).toContain('rows: peer,row')
  })

  it('says why it cannot be tried, and does not run', async () => {
    const result = await resultOf({ ...breaks, notShown: () => 'the harness has no fault "cut"' })
    expect(result).toMatchObject({ status: 'not shown', message: 'the harness has no fault "cut"' })
  })

  it('has a namespace of its own, and random numbers from its seed', async () => {
    const namespaces: string[] = []
    const chances: number[] = []
    const rule = ruleOf('S-7', async ({ random }) => void chances.push(random()))
    const harness: Partial<Harness<Port>> = {
      async open({ namespace }) {
        namespaces.push(namespace)
        return { port: port(), peer: async () => port() }
      },
    }
    for (const seed of [1, 1, 2]) await runContract(contractOf([rule], harness), { seed })
    expect(new Set(namespaces).size).toBe(3)
    expect(chances[0]).toBe(chances[1])
    expect(chances[0]).not.toBe(chances[2])
  })

  it('closes its clients', async () => {
    let open = 0
    const client = (): Port => {
      open++
      return { close: async () => void open-- }
    }
    const rule = ruleOf('S-8', async ({ peer }) => {
      await peer()
      await peer()
      throw new Error('whatever comes')
    })
    await resultOf(rule, { open: async () => ({ port: port(), peer: async () => client() }) })
    expect(open).toBe(0)
  })
})
