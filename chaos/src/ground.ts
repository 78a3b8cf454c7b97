import { migrate } from '@taskledger/cassandra'
import type { CassandraEndpoint, EngineProcess, RabbitmqProcess } from '@taskledger/servers'
import { startCassandra, startRabbitmq } from '@taskledger/servers'
import type { TcpProxy } from '@taskledger/test-kit'
import { tcpProxy } from '@taskledger/test-kit'
import type { EngineAddresses } from './engines.ts'
import type { Engine, Place } from './plan.ts'
import { places } from './plan.ts'

const keyspace = 'chaos'

/** The engines of a run, its own, and a proxy between each place and each engine. */
export interface Ground {
  readonly cassandra: EngineProcess<CassandraEndpoint>
  readonly rabbitmq: RabbitmqProcess
  /** Past the proxies. */
  readonly direct: EngineAddresses
  readonly addressesOf: (place: Place) => EngineAddresses
  readonly proxyOf: (place: Place, engine: Engine) => TcpProxy
  [Symbol.asyncDispose](): Promise<void>
}

export const prepareGround = async (say: (line: string) => void): Promise<Ground> => {
  await using stack = new AsyncDisposableStack()
  const starting = [startCassandra({ name: 'chaos', say, isShortLived: true }), startRabbitmq({ name: 'chaos', say })] as const
  for (const each of starting) stack.defer(async () => (await each.catch(() => undefined))?.stop())
  const [cassandra, rabbitmq] = await Promise.all(starting)
  const { contactPoints, localDataCenter } = cassandra.endpoint
  await migrate({
    contactPoints,
    localDataCenter,
    keyspace,
    replication: { class: 'NetworkTopologyStrategy', [localDataCenter]: 1 },
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
      return { cassandra: [`${store.host}:${store.port}`], localDataCenter, keyspace, amqpUrl: url.href }
    },
    proxyOf,
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  }
}
