import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Whether the port is free. */
export const isFree = (port: number, address = '127.0.0.1'): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: address, exclusive: true }, () => server.close(() => resolve(true)))
  })

const given = new Set<number>()

/**
 * A free port that stays free while its server is down. It is below the ports that systems give to outgoing connections: otherwise a
 * client that reconnects again and again may be given the port that it connects to, and so be connected with itself.
 */
export const freePort = async (address = '127.0.0.1'): Promise<number> => {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    if (given.has(port) || !(await isFree(port, address))) continue
    given.add(port)
    return port
  }
}
