import type { AmqpEndpoint, CassandraEndpoint, Servers } from '@taskledger/servers'
import type { TcpProxy } from '@taskledger/test-kit'
import { tcpProxy } from '@taskledger/test-kit'

/** The servers behind proxies, which can break the network. */
export interface ProxiedServers extends AsyncDisposable {
  readonly servers: Servers
  /** Breaks every connection to both servers. */
  cut(): Promise<void>
  /** Breaks every connection to both and refuses new ones, until the returned function is called. */
  refuse(): Promise<() => Promise<void>>
}

/** Puts a proxy before each of the servers. */
export const proxied = async ({ cassandra, amqp }: Servers): Promise<ProxiedServers> => {
  const [storage, messaging] = await Promise.all([tcpProxy(cassandraAddress(cassandra)), tcpProxy(amqpAddress(amqp))])
  const faults = [storage.faults, messaging.faults]
  return {
    servers: {
      cassandra: { ...cassandra, contactPoints: [`${storage.host}:${storage.port}`] },
      amqp: { ...amqp, url: urlThrough(messaging, amqp) },
    },
    cut: async () => void (await Promise.all(faults.map((fault) => fault.cut()))),
    refuse: async () => {
      const ends = await Promise.all(faults.map((fault) => fault.refuse()))
      return async () => void (await Promise.all(ends.map((end) => end())))
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([storage[Symbol.asyncDispose](), messaging[Symbol.asyncDispose]()])
    },
  }
}

const cassandraAddress = ({ contactPoints: [first = ''] }: CassandraEndpoint): { readonly host: string; readonly port: number } => {
  const [host = '', port = '9042'] = first.split(':')
  return { host, port: Number(port) }
}

const amqpAddress = ({ url }: AmqpEndpoint): { readonly host: string; readonly port: number } => {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port === '' ? 5672 : port) }
}

const urlThrough = ({ host, port }: TcpProxy, { url }: AmqpEndpoint): string => {
  const through = new URL(url)
  through.host = `${host}:${port}`
  return through.href
}
