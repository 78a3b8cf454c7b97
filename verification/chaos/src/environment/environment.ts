import { migrate } from '@taskledger/cassandra'
import type { CassandraEndpoint, EngineProcess, RabbitmqProcess } from '@taskledger/servers'
import { startCassandra, startCassandraRing, startRabbitmq } from '@taskledger/servers'
import type { TcpProxy } from '@taskledger/test-kit'
import { tcpProxy } from '@taskledger/test-kit'
import type { EngineAddresses } from './engines.ts'
import type { Engine, Place } from '../plan/places.ts'
import { places } from '../plan/places.ts'

const keyspace = 'chaos'

/** The engines that a run starts for itself, and a proxy between each place and each engine. */
export interface Environment {
  /** One node, or the three nodes of a ring. */
  readonly cassandra: readonly EngineProcess<CassandraEndpoint>[]
  readonly rabbitmq: RabbitmqProcess
  /** Without the proxies. */
  readonly direct: EngineAddresses
  readonly addressesOf: (place: Place) => EngineAddresses
  readonly proxyOf: (place: Place, engine: Engine) => TcpProxy
  [Symbol.asyncDispose](): Promise<void>
}

export interface EnvironmentOptions {
  readonly say: (line: string) => void
  /**
   * Whether Cassandra is a ring of three nodes. Processes then reach it without the proxies: the driver learns the addresses of all nodes,
   * and connects to them.
   */
  readonly isRing: boolean
}

export const openEnvironment = async ({ say, isRing }: EnvironmentOptions): Promise<Environment> => {
  await using stack = new AsyncDisposableStack()
  const starting = [
    isRing ? startCassandraRing({ name: 'chaos', say }) : startCassandra({ name: 'chaos', say, isShortLived: true }).then((node) => [node]),
    startRabbitmq({ name: 'chaos', say }),
  ] as const
  for (const each of starting)
    stack.defer(async () => void (await Promise.all([await each.catch(() => [])].flat().map((server) => server.stop()))))
  const [cassandra, rabbitmq] = await Promise.all(starting)
  const contactPoints = cassandra.flatMap(({ endpoint }) => endpoint.contactPoints)
  const localDataCenter = cassandra[0]?.endpoint.localDataCenter ?? ''
  await migrate({
    contactPoints,
    localDataCenter,
    keyspace,
    replication: { class: 'NetworkTopologyStrategy', [localDataCenter]: cassandra.length },
  })
  const proxies = new Map<string, TcpProxy>()
  const [host = '', port = ''] = (contactPoints[0] ?? '').split(':')
  const broker = new URL(rabbitmq.endpoint.url)
  for (const place of places) {
    proxies.set(`${place} cassandra`, stack.use(await tcpProxy({ host, port: Number(port) })))
    proxies.set(`${place} rabbitmq`, stack.use(await tcpProxy({ host: broker.hostname, port: Number(broker.port) })))
  }
  const proxyOf = (place: Place, engine: Engine): TcpProxy => {
    const proxy = proxies.get(`${place} ${engine}`)
    if (proxy === undefined) throw new Error(`${place} has no proxy to ${engine}`)
    return proxy
  }
  const moved = stack.move()
  return {
    cassandra,
    rabbitmq,
    direct: { cassandra: contactPoints, localDataCenter, keyspace, amqpUrl: rabbitmq.endpoint.url },
    addressesOf: (place) => {
      const [store, messages] = [proxyOf(place, 'cassandra'), proxyOf(place, 'rabbitmq')]
      const url = new URL(rabbitmq.endpoint.url)
      url.port = String(messages.port)
      return { cassandra: isRing ? contactPoints : [`${store.host}:${store.port}`], localDataCenter, keyspace, amqpUrl: url.href }
    },
    proxyOf,
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  }
}
