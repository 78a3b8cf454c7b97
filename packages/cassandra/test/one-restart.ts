import { setTimeout as sleep } from 'node:timers/promises'

/** How long rules wait for one another, in milliseconds: one that failed before its restart never comes. */
const patienceMs = 60_000

/**
 * One restart for several rules, which all want it in the middle: starts and stops of a server are what their tests take so long
 * for. It begins when each of them has asked.
 */
export const oneRestartFor = (rules: number, restart: () => Promise<void>): (() => Promise<void>) => {
  const asked = Promise.withResolvers<void>()
  let missing = rules
  let restarted: Promise<void> | undefined
  return () => {
    if (--missing === 0) asked.resolve()
    restarted ??= Promise.race([asked.promise, neverCame()]).then(restart)
    return restarted
  }
}

const neverCame = async (): Promise<never> => {
  await sleep(patienceMs, undefined, { ref: false })
  throw new Error('another rule never came to the restart that they share')
}
