/** Within each power of ten: never more than two thirds longer than was asked for. */
const steps = [1, 1.5, 2, 3, 5, 7] as const

const shortestMs = 10
/** The broker counts in 32 bits. A message that comes back early is no harm: whoever takes it sees that its task is not due. */
const longestMs = 2_000_000_000

/** The delay for which there is a queue: each needs one of its own, so there are few of them. Not shorter than what was asked for. */
export const roundedDelayMs = (delayMs: number): number => {
  for (let power = shortestMs; power < longestMs; power *= 10) {
    const step = steps.find((step) => step * power >= delayMs)
    if (step !== undefined) return Math.min(step * power, longestMs)
  }
  return longestMs
}
