import type { NodeContext } from './context.ts'

/** After how many items everything else gets its turn: an engine in this process has them all at once. */
const itemsPerTurn = 500

/** Walks what a port gives one by one. Each step has the bound of a call. */
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
    // What it still holds is let go of in its own time: the walk is over.
    void iterator.return?.().then(
      () => {},
      () => {},
    )
  }
}

/** Does something for each item, so many at a time. The first failure ends it, once what is under way has ended. */
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
