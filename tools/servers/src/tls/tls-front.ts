import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import type { TlsOptions, TLSSocket } from 'node:tls'
import { createServer } from 'node:tls'

/** A TLS server in front of a server without TLS. */
export interface TlsFront extends AsyncDisposable {
  /** On 127.0.0.1. */
  readonly port: number
  /** The certificates of the clients that it let in, by their subject's common name; `undefined`: without one. */
  readonly clients: readonly (string | undefined)[]
  /** Everything that clients have sent. */
  readonly received: () => string
  /** Shows this certificate from the next connection on. */
  use(options: Pick<TlsOptions, 'cert' | 'key' | 'ca'>): void
  /** Breaks every connection. */
  cut(): void
}

/** Starts it on a free port of 127.0.0.1. What it receives goes to the port of that server, and back. */
export const tlsFront = async (target: { readonly host: string; readonly port: number }, options: TlsOptions): Promise<TlsFront> => {
  const sockets = new Set<TLSSocket>()
  const clients: (string | undefined)[] = []
  const received: Buffer[] = []
  const server = createServer(options, (client) => {
    clients.push((client.getPeerX509Certificate()?.subject ?? '').replace(/^CN=/, '') || undefined)
    sockets.add(client)
    const inner = connect(target)
    client.on('data', (chunk: Buffer) => received.push(chunk))
    client.pipe(inner).pipe(client)
    for (const [one, other] of [
      [client, inner],
      [inner, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
    client.on('close', () => sockets.delete(client))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    clients,
    received: () => Buffer.concat(received).toString('latin1'),
    use: (renewed) => server.setSecureContext({ ...options, ...renewed }),
    cut,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      cut()
      await closed
    },
  }
}
