/** The recovery of throughput after an outage. */
export interface Recovered {
  /** From the return of the engine to the end of the first window with enough tasks, in milliseconds; Infinity without one. */
  readonly afterMs: number
  /** The rates in each window since the return, per second. */
  readonly rates: readonly number[]
}

export const windowMs = 3_000

/** The share of the earlier rate that counts as recovered. */
export const share = 0.8

/**
 * Finds the first window after `returnedAt` with enough tasks. The whole window is after the return, and its end counts: so a recovery takes
 * at least the length of a window.
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
