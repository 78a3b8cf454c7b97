import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'

/** Speaks just enough of the native protocol, version 4, to refuse every password: a development server takes any. */
export const refusingServer = async (message: string): Promise<{ readonly contactPoint: string; close(): void }> => {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('data', (request) => {
      // Requests are small and come one at a time; the answer carries the stream's number.
      const text = Buffer.from(message)
      const body = Buffer.concat([Buffer.from([0, 0, 1, 0]), Buffer.from([text.length >> 8, text.length & 0xff]), text])
      const header = Buffer.from([0x84, 0, request[2] ?? 0, request[3] ?? 0, 0, 0, 0, 0, 0])
      header.writeUInt32BE(body.length, 5)
      socket.write(Buffer.concat([header, body]))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { contactPoint: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() }
}
