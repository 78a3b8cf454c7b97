import { randomBytes } from 'node:crypto'
import { migrate } from '@taskledger/cassandra'
import { findCassandra, findRabbitmq, reasonOf } from '@taskledger/servers'
import type { AmqpEndpoint, CassandraEndpoint, Found, Origin, Say } from '@taskledger/servers'
import { clearCassandra } from './clear-cassandra.ts'
import { clearRabbitmq } from './clear-rabbitmq.ts'
import type { EngineSettings } from './engines.ts'
import { Correctable } from '../errors.ts'
import type { ServerView } from '../screen/view.ts'

/** The servers of a run, with its keyspace and its prefix. */
export interface Environment {
  readonly servers: readonly ServerView[]
  readonly engines: EngineSettings
  /** Whether the servers outlive the run, since they were not started for it. */
  readonly isLasting: boolean
  /** Creates the keyspace and its tables. The adapter creates queues when it first uses them. */
  prepare(): Promise<void>
  /** Removes the keyspace and the queues. */
  clear(): Promise<void>
  /** Stops the servers that were started for this run. */
  stop(): Promise<void>
}

const origins: Readonly<Record<Origin, string>> = {
  environment: 'environment',
  machine: 'this machine',
  docker: 'Docker',
  started: 'started here',
}

/**
 * Finds or starts the servers.
 *
 * @throws an error that the user can correct, if there is no server or it cannot be used.
 */
export const findEnvironment = async (say: Say): Promise<Environment> => {
  const [cassandra, rabbitmq] = await Promise.allSettled([findCassandra({ say }), findRabbitmq({ say })])
  if (cassandra.status === 'fulfilled' && rabbitmq.status === 'fulfilled') return environmentOn(cassandra.value, rabbitmq.value)
  const errors: unknown[] = []
  for (const search of [cassandra, rabbitmq]) {
    if (search.status === 'fulfilled') await search.value.stop()
    else errors.push(search.reason)
  }
  throw errors[0]
}

const environmentOn = (cassandra: Found<CassandraEndpoint>, rabbitmq: Found<AmqpEndpoint>): Environment => {
  const name = `cluster_${randomBytes(4).toString('hex')}`
  const { version, contactPoints, localDataCenter, credentials } = cassandra.endpoint
  const { endpoint: broker } = rabbitmq
  const engines: EngineSettings = { cassandra: cassandra.endpoint, keyspace: name, amqpUrl: broker.url, prefix: name }
  return {
    servers: [
      { what: `Cassandra ${version}`, origin: origins[cassandra.origin], where: `${contactPoints.join(', ')} · keyspace ${name}` },
      { what: `RabbitMQ ${broker.version}`, origin: origins[rabbitmq.origin], where: `${hostOf(broker.url)} · prefix ${name}` },
    ],
    engines,
    isLasting: [cassandra, rabbitmq].every(({ origin }) => origin === 'environment' || origin === 'machine'),
    prepare: () =>
      migrate({
        contactPoints,
        localDataCenter,
        ...(credentials === undefined ? {} : { credentials }),
        keyspace: name,
        // A demonstration needs one copy only.
        replication: { class: 'NetworkTopologyStrategy', [localDataCenter]: 1 },
      }),
    clear: async () => {
      const clearings = await Promise.allSettled([clearCassandra(engines), clearRabbitmq(engines)])
      const reasons = clearings.flatMap((clearing): readonly unknown[] => (clearing.status === 'rejected' ? [clearing.reason] : []))
      if (reasons.length > 0) throw new Correctable(reasons.map(reasonOf).join('; '), { cause: reasons[0] })
    },
    stop: async () => {
      await Promise.all([cassandra.stop(), rabbitmq.stop()])
    },
  }
}

/** Without user and password. */
const hostOf = (url: string): string => {
  const { host, pathname } = new URL(url)
  return host + (pathname === '/' ? '' : pathname)
}
