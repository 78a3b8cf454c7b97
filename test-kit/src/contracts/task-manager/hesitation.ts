/** Lets others go first, now and then: some turns of the event loop, some of what is due within one, or none at all. */
export const hesitate = async (random: () => number): Promise<void> => {
  const turns = Math.floor(random() * 3)
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
  // In memory a whole life is a matter of such steps.
  const steps = Math.floor(random() * 24)
  for (let step = 0; step < steps; step++) await Promise.resolve()
}
