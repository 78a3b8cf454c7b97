import { setTimeout as sleep } from 'node:timers/promises'
import { runContract } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'
import { breaks, contractOf, holds, ruleOf } from './sample-contract.ts'

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
})
