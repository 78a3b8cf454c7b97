import { setTimeout as sleep } from 'node:timers/promises'

/** Lets others go first, now and then: some turns of the event loop, some of what is due within one, or none at all. */
export const hesitate = async (random: () => number): Promise<void> => {
  const turns = Math.floor(random() * 3)
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
  // In memory a whole life is a matter of such steps.
  const steps = Math.floor(random() * 24)
  for (let step = 0; step < steps; step++) await Promise.resolve()
}

/** The longest that anybody hesitates, in milliseconds: a race needs no more. */
const mostMs = 100

/**
 * Makes a hesitation that fits the engine: what takes a few milliseconds there is not overtaken by a few turns of the event
 * loop. `step` is what the others are to go first with, made once to see how long it takes.
 */
export const hesitationOf = async (step: () => Promise<unknown>): Promise<typeof hesitate> => {
  const begunAt = performance.now()
  await step()
  const stepMs = Math.min(performance.now() - begunAt, mostMs)
  if (stepMs < 2) return hesitate
  return async (random) => {
    // A third of them do not wait: then both begin at once.
    if (random() > 1 / 3) await sleep(random() * stepMs)
    await hesitate(random)
  }
}
