import { setTimeout as sleep } from 'node:timers/promises'
import type { RunEvent } from '@taskledger/test-kit'
import { runContract } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'
import { breaks, contractOf, holds, port, ruleOf } from './sample-contract.ts'

describe('a contract', () => {
  it('runs only the rules that are asked for', async () => {
    const { results } = await runContract(contractOf([holds, breaks]), { only: ['S-1'] })
    expect(results.map(({ id }) => id)).toEqual(['S-1'])
  })

  it('runs a limited number of rules at the same time', async () => {
    let running = 0
    let most = 0
    const rules = Array.from({ length: 10 }, (_, index) =>
      ruleOf(`P-${index}`, async () => {
        most = Math.max(most, ++running)
        await sleep(1)
        running--
      }),
    )
    await runContract(contractOf(rules), { concurrency: 3 })
    expect(most).toBe(3)
  })

  it('runs rules with faults one by one, after the others', async () => {
    const ran: string[] = []
    const rules = (['fault', 'plain', 'fault', 'race'] as const).map((kind, index) =>
      ruleOf(
        `F-${index}`,
        async () => {
          ran.push(`${kind} begins`)
          await sleep(1)
          ran.push(`${kind} ends`)
        },
        { kind },
      ),
    )
    const { results } = await runContract(contractOf(rules))
    expect(results.map(({ kind }) => kind)).toEqual(['fault', 'plain', 'fault', 'race'])
    expect(ran.slice(4)).toEqual(['fault begins', 'fault ends', 'fault begins', 'fault ends'])
  })

  it('tells what happens while it runs', async () => {
    const told: string[] = []
    const slow = ruleOf('S-1', async ({ faults, waitUntil }) => {
      await faults.cut()
      let checks = 0
      await waitUntil('the engine is back', () => checks++ > 0)
    })
    let awaited: readonly string[] = []
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'rule began') told.push(`${event.id} began`)
      else if (event.type === 'rule ended') told.push(`${event.result.id} ${event.result.status}`)
      else {
        told.push(`${event.step} within ${event.boundMs} ms`)
        if (event.step === 'rule') setImmediate(() => (awaited = event.awaited()))
      }
    }
    const harness = { open: async () => ({ port: port(), peer: async () => port(), faults: { cut: async () => {} } }) }
    await runContract(contractOf([slow], harness), { onEvent })
    expect(told).toEqual([
      'S-1 began',
      'open within 60000 ms',
      'rule within 300000 ms',
      'cut within 120000 ms',
      'rule within 300000 ms',
      'close the clients within 10000 ms',
      'dispose within 30000 ms',
      'S-1 passed',
    ])
    expect(awaited).toEqual(['the engine is back'])
  })

  it('gives up after three rules in which the harness hangs', async () => {
    const hanging = { open: () => new Promise<never>(() => {}), timing: { openMs: 2 } }
    const rules = Array.from({ length: 20 }, (_, index) => ruleOf(`H-${index}`, async () => {}))
    const { results, ok } = await runContract(contractOf(rules, hanging), { concurrency: 2 })
    expect(ok).toBe(false)
    const messages = results.map(({ message = '' }) => message)
    expect(messages.filter((message) => message.includes('Timed out')).length).toBeLessThanOrEqual(4)
    expect(messages.at(-1)).toContain('Not tried: the harness hung before, in "open" for H-0, in "open" for H-1, in "open" for H-2')
  })
})
