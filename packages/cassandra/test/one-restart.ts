import { setTimeout as sleep } from 'node:timers/promises'

/** How long rules wait for one another, in milliseconds: a rule that failed before its restart never asks for it. */
const timeoutMs = 60_000

/**
 * One restart for several rules that each need a restart in the middle: stopping and starting a server takes most of
 * their time. It begins when every rule has asked for it.
 */
export const oneRestartFor = (rules: number, restart: () => Promise<void>): (() => Promise<void>) => {
  const asked = Promise.withResolvers<void>()
  let missing = rules
  let restarted: Promise<void> | undefined
  return () => {
    if (--missing === 0) asked.resolve()
    restarted ??= Promise.race([asked.promise, neverAsked()]).then(restart)
    return restarted
  }
}

const neverAsked = async (): Promise<never> => {
  await sleep(timeoutMs, undefined, { ref: false })
  throw new Error('another rule never asked for the restart that they share')
}
