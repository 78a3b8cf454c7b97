/** The delays within each power of ten: a rounded delay is at most two thirds longer than the requested one. */
const steps = [1, 1.5, 2, 3, 5, 7] as const

const minMs = 10
/** The broker counts in 32 bits. A message that returns early does no harm: the worker sees that its task is not due. */
const maxMs = 2_000_000_000

/** Rounds a delay up to one that has a queue. Each delay needs a queue of its own, so there are few. */
export const roundedDelayMs = (delayMs: number): number => {
  for (let power = minMs; power < maxMs; power *= 10) {
    const step = steps.find((step) => step * power >= delayMs)
    if (step !== undefined) return Math.min(step * power, maxMs)
  }
  return maxMs
}
