import { setMaxListeners } from 'node:events'

/**
 * Listens to a signal that calls share: core gives one to all that begin in the same second. Node 20 takes more than ten
 * listeners for a leak, and warns; here each goes with its call.
 */
export const listen = (signal: AbortSignal, onAbort: () => void): void => {
  setMaxListeners(0, signal)
  signal.addEventListener('abort', onAbort, { once: true })
}
