import process from 'node:process'
import type { Duplex } from 'node:stream'

/**
 * Makes a socket send everything that is written in one turn of the event loop by one system call. amqplib writes frame by
 * frame, and a system call costs more than most frames. In a burst, some ten messages or acknowledgements go in one call.
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
