import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Whether nobody listens there. */
export const isFree = (port: number, address = '127.0.0.1'): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: address, exclusive: true }, () => server.close(() => resolve(true)))
  })

const given = new Set<number>()

/**
 * A port of this machine that nobody uses, and that stays free while its server is down for a moment. For that it lies below
 * those that systems give to outgoing connections: a client that tries again and again might be given the very port
 * that it tries, and be connected with itself.
 */
export const freePort = async (address = '127.0.0.1'): Promise<number> => {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    if (given.has(port) || !(await isFree(port, address))) continue
    given.add(port)
    return port
  }
}
