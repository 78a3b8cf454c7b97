import { describe, expect, it } from 'vitest'
import { GroupCommit } from '../../src/connection/group-commit.ts'

interface Item {
  readonly id: string
  readonly size: number
}

/** GroupCommit whose flushes end when the test ends them. */
const stage = ({ maxItems = 4, maxBytes = 100 } = {}) => {
  const flushes: {
    readonly key: string
    readonly ids: readonly string[]
    end(refused?: Readonly<Record<string, Error>>): void
    fail(error: Error): void
  }[] = []
  const groups = new GroupCommit<Item>({
    maxItems,
    maxBytes,
    sizeOf: ({ size }) => size,
    idOf: ({ id }) => id,
    flush: (key, items) =>
      new Promise((resolve, reject) => {
        const ids = items.map(({ id }) => id)
        flushes.push({
          key,
          ids,
          end: (refused = {}) =>
            resolve(
              ids.map((id) => {
                const reason = refused[id]
                return reason === undefined ? { status: 'fulfilled', value: undefined } : { status: 'rejected', reason }
              }),
            ),
          fail: reject,
        })
      }),
  })
  const sent = () => flushes.map(({ ids }) => ids.join(' '))
  const add = (id: string, { size = 1, key = 'k', signal }: { size?: number; key?: string; signal?: AbortSignal } = {}) =>
    groups.add(key, { id, size }, signal)
  return { add, flushes, sent, groups }
}

/** Long enough for a flush at the end of a turn. */
const turn = async () => {
  for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve))
}

/** An item whose flush is in flight: items that are added from now on go into the next. */
const inFlight = async (settled: Promise<void>) => {
  await turn()
  return { settled }
}

const endEach = async (flushes: readonly { end(): void }[], count: number) => {
  for (let index = 0; index < count; index++) {
    await turn()
    flushes[index]?.end()
  }
}

describe('a group commit', () => {
  it('flushes an item of an idle key at once', async () => {
    const { add, sent } = stage()
    void add('a')
    await turn()
    expect(sent()).toEqual(['a'])
  })

  it('flushes together the items of one turn, and those that are added during a flush', async () => {
    const { add, flushes, sent } = stage()
    const all = [add('a'), add('b')]
    await turn()
    all.push(add('c'))
    await turn()
    all.push(add('d'))
    expect(sent()).toEqual(['a b'])
    flushes[0]?.end()
    await turn()
    expect(sent()).toEqual(['a b', 'c d'])
    flushes[1]?.end()
    await Promise.all(all)
  })

  it('flushes together the items of callers that one flush resumed', async () => {
    const { add, flushes, sent } = stage()
    const lives = ['a', 'b', 'c'].map(async (id) => {
      await add(id)
      await add(id)
    })
    await turn()
    flushes[0]?.end()
    await turn()
    expect(sent()).toEqual(['a b c', 'a b c'])
    flushes[1]?.end()
    await Promise.all(lives)
  })

  it('does not make one key wait for another', async () => {
    const { add, sent } = stage()
    void add('a', { key: 'k' })
    void add('b', { key: 'l' })
    await turn()
    expect(sent()).toEqual(['a', 'b'])
  })

  it('never flushes two items of one id together, and keeps their order', async () => {
    const { add, flushes, sent } = stage()
    const all = [add('a'), add('b'), add('b'), add('c'), add('b')]
    await endEach(flushes, 3)
    await Promise.all(all)
    expect(sent()).toEqual(['a b c', 'b', 'b'])
  })

  it('keeps the limits on items and bytes, and flushes a larger item alone', async () => {
    const { add, flushes, sent } = stage({ maxItems: 2, maxBytes: 10 })
    const all = [add('a'), add('b'), add('c'), add('d'), add('big', { size: 99 }), add('e', { size: 9 }), add('f', { size: 9 })]
    await endEach(flushes, 5)
    await Promise.all(all)
    expect(sent()).toEqual(['a b', 'c d', 'big', 'e', 'f'])
  })

  it('settles each item with its own result', async () => {
    const { add, flushes } = stage()
    const first = await inFlight(add('a'))
    const results = Promise.allSettled([add('b'), add('c')])
    flushes[0]?.end()
    await first.settled
    await turn()
    const refused = new Error('refused')
    flushes[1]?.end({ c: refused })
    expect(await results).toEqual([
      { status: 'fulfilled', value: undefined },
      { status: 'rejected', reason: refused },
    ])
  })

  it('rejects all items of a flush that throws, and goes on', async () => {
    const { add, flushes, sent } = stage()
    const first = await inFlight(add('a'))
    const second = add('b')
    const broken = new Error('broken')
    flushes[0]?.fail(broken)
    await expect(first.settled).rejects.toBe(broken)
    await turn()
    flushes[1]?.end()
    await second
    expect(sent()).toEqual(['a', 'b'])
  })

  it('leaves out an item whose signal is aborted while it waits', async () => {
    const { add, flushes, sent } = stage()
    const abort = new AbortController()
    const first = await inFlight(add('a'))
    const given = add('b', { signal: abort.signal })
    const last = add('c')
    abort.abort(new Error('gave up'))
    await expect(given).rejects.toThrow('gave up')
    flushes[0]?.end()
    await first.settled
    await turn()
    flushes[1]?.end()
    await last
    expect(sent()).toEqual(['a', 'c'])
  })

  it('completes the other items when a signal is aborted during the flush', async () => {
    const { add, flushes } = stage()
    const abort = new AbortController()
    const [given, other] = [add('b', { signal: abort.signal }), add('c')]
    await turn()
    abort.abort(new Error('gave up'))
    await expect(given).rejects.toThrow('gave up')
    flushes[0]?.end()
    await other
  })

  it('takes no item whose signal is aborted already, and goes on', async () => {
    const { add, sent } = stage()
    await expect(add('a', { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
    void add('b')
    await turn()
    expect(sent()).toEqual(['b'])
  })

  it('flushes nothing for a key whose only item is aborted, and goes on', async () => {
    const { add, flushes, sent } = stage()
    const abort = new AbortController()
    const given = add('a', { signal: abort.signal })
    abort.abort(new Error('gave up'))
    await expect(given).rejects.toThrow('gave up')
    await turn()
    const next = add('b')
    await turn()
    expect(sent()).toEqual(['b'])
    flushes[0]?.end()
    await next
  })
})
