import type { Harness } from '@taskledger/test-kit'
import { notShownReasons } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'
import type { Port } from '../framework/sample-contract.ts'
import { contractOf, holds, port } from '../framework/sample-contract.ts'

describe('notShownReasons', () => {
  it('returns the rules that cannot be tried, and closes the subject', async () => {
    let open = 0
    const harness: Partial<Harness<Port>> = {
      async open() {
        open++
        return { port: port(), peer: async () => port(), [Symbol.asyncDispose]: async () => void open-- }
      },
    }
    const reasons = await notShownReasons(contractOf([holds, { ...holds, id: 'S-17', notShown: () => 'no such hook' }], harness))
    expect([...reasons]).toEqual([['S-17', 'no such hook']])
    expect(open).toBe(0)
  })
})
