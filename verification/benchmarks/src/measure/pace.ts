import { performance } from 'node:perf_hooks'

/** Calls `one` again and again for a while, `atOnce` at a time. Gives the sum of what it returns, per second. */
export const perSecond = async (atOnce: number, forMs: number, one: () => Promise<number>): Promise<number> => {
  const startedAt = performance.now()
  let done = 0
  const caller = async (): Promise<void> => {
    while (performance.now() - startedAt < forMs) {
      // Not `done += await`: it would read the sum before the wait.
      const more = await one()
      done += more
    }
  }
  await Promise.all(Array.from({ length: atOnce }, caller))
  return (done / (performance.now() - startedAt)) * 1_000
}

/** Calls `one` for each number from 0 to `count - 1`, `atOnce` at a time. Gives the duration in milliseconds. */
export const timeOf = async (count: number, atOnce: number, one: (index: number) => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now()
  let next = 0
  const caller = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await one(index)
  }
  await Promise.all(Array.from({ length: atOnce }, caller))
  return performance.now() - startedAt
}
