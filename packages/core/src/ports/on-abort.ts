/** What waits for one signal, and how to listen to it no more. */
interface Listeners {
  readonly ends: Set<() => void>
  unlisten(): void
}

const listened = new WeakMap<AbortSignal, Listeners>()

/**
 * Calls back when the signal is aborted, and never where it was before: look at `signal.aborted` as well. What it returns takes that back,
 * also twice. The callback must not throw. A signal may be shared by many calls, to which listeners of their own would cost more than
 * much of what they do, and Node 20 takes more than ten for a leak: here it has one, whoever waits.
 */
export const onAbort = (signal: AbortSignal, callback: () => void): (() => void) => {
  const { ends, unlisten } = listened.get(signal) ?? listenTo(signal)
  // Two that wait with the same function are two.
  const end = (): void => callback()
  ends.add(end)
  return () => {
    // A signal made of others is kept alive for as long as anybody listens to it.
    if (ends.delete(end) && ends.size === 0) unlisten()
  }
}

const listenTo = (signal: AbortSignal): Listeners => {
  const ends = new Set<() => void>()
  const tell = (): void => {
    for (const end of ends) end()
  }
  const unlisten = (): void => {
    signal.removeEventListener('abort', tell)
    listened.delete(signal)
  }
  const listeners = { ends, unlisten }
  listened.set(signal, listeners)
  signal.addEventListener('abort', tell, { once: true })
  return listeners
}
