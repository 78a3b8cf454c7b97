import { describe, expect, it } from 'vitest'
import { forgottenAfterMs, mayForget, PartitionIndex, trustedForMs } from '../../../src/listing/tables/partition-index.ts'

const openIndex = () => {
  const clock = { now: 1_000_000 }
  const written: number[] = []
  const index = new PartitionIndex(
    () => clock.now,
    () => clock.now,
  )
  const note = (key = 'a') =>
    index.note(key, async (seen) => {
      written.push(seen)
    })
  return { clock, written, index, note }
}

describe('an index row', () => {
  it('is written once, and trusted for a minute', async () => {
    const { clock, written, note } = openIndex()
    await Promise.all([note(), note()])
    clock.now += trustedForMs - 1
    await note()
    expect(written).toEqual([1_000_000])
    clock.now += 1
    await note()
    expect(written).toEqual([1_000_000, 1_000_000 + trustedForMs])
  })

  it('is trusted from when its writing began, not from when it was done', async () => {
    const { clock, index, written, note } = openIndex()
    const slow = Promise.withResolvers<void>()
    const first = index.note('a', () => slow.promise)
    clock.now += trustedForMs
    slow.resolve()
    await first
    await note()
    expect(written).toHaveLength(1)
  })

  it('is written again at once where it failed, and all who relied on it hear so', async () => {
    const { index, written, note } = openIndex()
    const failing = () => index.note('a', () => Promise.reject(new Error('no answer')))
    const [first, second] = await Promise.allSettled([failing(), note()])
    expect([first.status, second.status]).toEqual(['rejected', 'rejected'])
    await note()
    expect(written).toHaveLength(1)
  })

  it('is its own for each partition', async () => {
    const { written, note } = openIndex()
    await Promise.all([note('a'), note('b')])
    expect(written).toHaveLength(2)
  })

  it('is not kept in mind for ever', async () => {
    const { written, note } = openIndex()
    for (let key = 0; key <= 20_000; key++) await note(String(key))
    written.length = 0
    await note('20000')
    expect(written).toHaveLength(0)
    await note('0')
    expect(written).toHaveLength(1)
  })

  it('may be deleted when it was last written long before the scan: longer than a writer relies on it, and two minutes for all the rest', () => {
    expect(mayForget({ seen: 0 }, forgottenAfterMs)).toBe(true)
    expect(mayForget({ seen: 0 }, forgottenAfterMs - 1)).toBe(false)
    expect(forgottenAfterMs).toBeGreaterThan(trustedForMs + 120_000)
  })
})
