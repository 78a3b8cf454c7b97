import type { NodeContext } from './context.ts'

/** The number of items after which the event loop gets a turn: an engine in this process answers without yielding to it. */
const itemsPerTurn = 500

/** Iterates over the items that a port yields. Each step has the time limit of a call. */
export async function* walk<Item>(
  { deadlines, clock, closed }: NodeContext,
  open: (signal: AbortSignal) => AsyncIterable<Item>,
): AsyncGenerator<Item, void, undefined> {
  const over = new AbortController()
  const iterator = open(AbortSignal.any([over.signal, closed]))[Symbol.asyncIterator]()
  try {
    for (let count = 1; ; count++) {
      const step = await deadlines.call(undefined, () => iterator.next())
      if (step.done === true) return
      yield step.value
      if (count % itemsPerTurn === 0) await clock.sleep(0, closed)
    }
  } finally {
    over.abort()
    // Do not wait for the port to clean up: the iteration is over.
    void iterator.return?.().then(
      () => {},
      () => {},
    )
  }
}

/** Acts on each item, at most `atATime` at once. After a failure no act starts: it waits for the others, then throws the failure. */
export const forEach = async <Item>(
  items: AsyncIterable<Item> | Iterable<Item>,
  atATime: number,
  act: (item: Item) => Promise<void> | undefined,
): Promise<void> => {
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  for await (const item of items) {
    const acting = act(item)
    if (acting === undefined) continue
    const settled: Promise<void> = acting.catch((error: unknown) => void failures.push(error)).finally(() => underWay.delete(settled))
    underWay.add(settled)
    if (underWay.size >= atATime) await Promise.race(underWay)
    if (failures.length > 0) break
  }
  await Promise.all(underWay)
  if (failures.length > 0) throw failures[0]
}
