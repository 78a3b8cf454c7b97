/** The callbacks that wait for one signal, and how to stop listening to it. */
interface Listeners {
  readonly ends: Set<() => void>
  unlisten(): void
}

const listened = new WeakMap<AbortSignal, Listeners>()

/**
 * Calls back when the signal is aborted. It never calls back for a signal that was aborted before: check `signal.aborted` as well. Returns a
 * function that cancels the callback; calling it twice is fine. The callback must not throw.
 *
 * All callbacks of a signal share one `abort` listener. Many calls may wait for one signal: a listener for each would be slow, and Node
 * warns of a leak above ten.
 */
export const onAbort = (signal: AbortSignal, callback: () => void): (() => void) => {
  const { ends, unlisten } = listened.get(signal) ?? listenTo(signal)
  // Wrapped, so that the same function can wait twice.
  const end = (): void => callback()
  ends.add(end)
  return () => {
    // A signal that `AbortSignal.any` made stays in memory as long as it has a listener.
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
