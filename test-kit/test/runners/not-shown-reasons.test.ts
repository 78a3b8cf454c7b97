import type { Harness, Subject } from '@taskledger/test-kit'
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

  it('rejects with the step of the harness that does not end', async () => {
    const never = (): Promise<never> => new Promise(() => {})
    await expect(notShownReasons(contractOf([holds], { open: never, timing: { openMs: 2 } }))).rejects.toThrow(
      'The harness failed in "open"',
    )
    const stuck = async (): Promise<Subject<Port>> => ({ port: port(), peer: async () => port(), [Symbol.asyncDispose]: never })
    const reasons = notShownReasons(contractOf([holds], { open: stuck, timing: { disposeMs: 2 } }))
    await expect(reasons).rejects.toThrow('The harness failed in "dispose": Timed out after 2 ms')
  })
})
