import { describe, expect, it } from 'vitest'
import { forgottenAfterMs, mayForget, PartitionIndex, trustedForMs } from '../../../src/listing/tables/partition-index.ts'

const openIndex = () => {
  const clock = { now: 1_000_000 }
  const written: number[] = []
  const index = new PartitionIndex({ now: async () => clock.now, elapsed: () => clock.now })
  const ensure = (key = 'a') =>
    index.ensure(key, async (seen) => {
      written.push(seen)
    })
  return { clock, written, index, ensure }
}

describe('an index row', () => {
  it('is written once, and trusted for a minute', async () => {
    const { clock, written, ensure } = openIndex()
    await Promise.all([ensure(), ensure()])
    clock.now += trustedForMs - 1
    await ensure()
    expect(written).toEqual([1_000_000])
    clock.now += 1
    await ensure()
    expect(written).toEqual([1_000_000, 1_000_000 + trustedForMs])
  })

  it('is trusted from the begin of its write, not from its end', async () => {
    const { clock, index, written, ensure } = openIndex()
    const slow = Promise.withResolvers<void>()
    const first = index.ensure('a', () => slow.promise)
    clock.now += trustedForMs
    slow.resolve()
    await first
    await ensure()
    expect(written).toHaveLength(1)
  })

  it('is written again at once after a failure, which all callers that relied on it get', async () => {
    const { index, written, ensure } = openIndex()
    const failing = () => index.ensure('a', () => Promise.reject(new Error('no answer')))
    const [first, second] = await Promise.allSettled([failing(), ensure()])
    expect([first.status, second.status]).toEqual(['rejected', 'rejected'])
    await ensure()
    expect(written).toHaveLength(1)
  })

  it('is written for each partition', async () => {
    const { written, ensure } = openIndex()
    await Promise.all([ensure('a'), ensure('b')])
    expect(written).toHaveLength(2)
  })

  it('is forgotten when too many are remembered', async () => {
    const { written, ensure } = openIndex()
    for (let key = 0; key <= 20_000; key++) await ensure(String(key))
    written.length = 0
    await ensure('20000')
    expect(written).toHaveLength(0)
    await ensure('0')
    expect(written).toHaveLength(1)
  })

  it('may be deleted ten minutes after its last write: much longer than a writer relies on it', () => {
    expect(mayForget({ seen: 0 }, forgottenAfterMs)).toBe(true)
    expect(mayForget({ seen: 0 }, forgottenAfterMs - 1)).toBe(false)
    expect(forgottenAfterMs).toBeGreaterThan(trustedForMs + 120_000)
  })
})
