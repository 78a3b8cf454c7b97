import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for a random number of turns of the event loop or of microtasks, or not at all, so that other calls may come first. */
export const jitter = async (random: () => number): Promise<void> => {
  const turns = Math.floor(random() * 3)
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
  // In memory a whole task takes a few such steps.
  const steps = Math.floor(random() * 24)
  for (let step = 0; step < steps; step++) await Promise.resolve()
}

/** The longest jitter, in milliseconds: a race needs no more. */
const maxMs = 100

/**
 * Makes a jitter that fits the engine: a few turns of the event loop do not overtake a step that takes milliseconds. `step` is the step
 * to overtake, and is run once to measure it.
 */
export const jitterFor = async (step: () => Promise<unknown>): Promise<typeof jitter> => {
  const startedAt = performance.now()
  await step()
  const stepMs = Math.min(performance.now() - startedAt, maxMs)
  if (stepMs < 2) return jitter
  return async (random) => {
    // A third of them do not wait, so that some steps begin at the same time.
    if (random() > 1 / 3) await sleep(random() * stepMs)
    await jitter(random)
  }
}
