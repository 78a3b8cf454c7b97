/** How throughput came back after an outage. */
export interface Recovered {
  /** From the return of the engine to the end of the first window that holds enough, in milliseconds; Infinity without one. */
  readonly afterMs: number
  /** The rates in each window since the return, per second. */
  readonly rates: readonly number[]
}

export const windowMs = 3_000

/** The share of the rate before that has to be reached. */
export const share = 0.8

/**
 * Finds the first window after `returnedAt` with enough in it. It lies after the return as a whole, and its end counts: no
 * throughput is back in less than its length.
 */
export const recovered = (times: readonly number[], returnedAt: number, perSecondBefore: number): Recovered => {
  const since = times.map((at) => at - returnedAt).filter((ms) => ms >= 0)
  since.sort((a, b) => a - b)
  const enough = Math.ceil((share * perSecondBefore * windowMs) / 1_000)
  const afterMs = since.find((end, index) => {
    const begin = since[index + 1 - enough]
    return end >= windowMs && begin !== undefined && end - begin <= windowMs
  })
  const rates: number[] = []
  for (const ms of since) {
    const index = Math.floor(ms / windowMs)
    while (rates.length <= index) rates.push(0)
    rates[index] = (rates[index] ?? 0) + 1_000 / windowMs
  }
  return { afterMs: afterMs ?? Infinity, rates }
}
