import process from 'node:process'
import type { Duplex } from 'node:stream'

/**
 * Makes what is written to a socket in one turn of the event loop go to the kernel in one call. The library writes frame by frame,
 * and a call costs more than most frames: of a burst the messages, and the acknowledgements, go some ten at a time.
 */
export const gatherWrites = (socket: Duplex): void => {
  const write = socket.write.bind(socket) as (...rest: unknown[]) => boolean
  let isGathering = false
  socket.write = (...rest: unknown[]): boolean => {
    if (!isGathering) {
      isGathering = true
      socket.cork()
      process.nextTick(() => {
        isGathering = false
        socket.uncork()
      })
    }
    return write(...rest)
  }
}
