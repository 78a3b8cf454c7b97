import { randomBytes } from 'node:crypto'
import { migrate } from '@taskledger/cassandra'
import { findCassandra, findRabbitmq, reasonOf } from '@taskledger/servers'
import type { AmqpEndpoint, CassandraEndpoint, Found, Origin, Say } from '@taskledger/servers'
import { clearCassandra } from './clear/clear-cassandra.ts'
import { clearRabbitmq } from './clear/clear-rabbitmq.ts'
import type { EngineSettings } from './engines.ts'
import { Mendable } from './reasons.ts'
import type { ServerView } from './screen/view.ts'

/** The servers that a run stands on, and what of them it has for itself: a keyspace, and a prefix. */
export interface Ground {
  readonly servers: readonly ServerView[]
  readonly engines: EngineSettings
  /** Whether the servers outlive the run: they were not started for it. */
  readonly isLasting: boolean
  /** Makes the keyspace and its tables. Queues come into being when they are first named. */
  prepare(): Promise<void>
  /** Removes what this run made on the servers. */
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
 * @throws what says in a line what to mend, where there is none or it cannot be used.
 */
export const findGround = async (say: Say): Promise<Ground> => {
  const [cassandra, rabbitmq] = await Promise.allSettled([findCassandra({ say }), findRabbitmq({ say })])
  if (cassandra.status === 'fulfilled' && rabbitmq.status === 'fulfilled') return groundOn(cassandra.value, rabbitmq.value)
  const errors: unknown[] = []
  for (const search of [cassandra, rabbitmq]) {
    if (search.status === 'fulfilled') await search.value.stop()
    else errors.push(search.reason)
  }
  throw errors[0]
}

const groundOn = (cassandra: Found<CassandraEndpoint>, rabbitmq: Found<AmqpEndpoint>): Ground => {
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
        // One copy will do for a show.
        replication: { class: 'NetworkTopologyStrategy', [localDataCenter]: 1 },
      }),
    clear: async () => {
      const clearings = await Promise.allSettled([clearCassandra(engines), clearRabbitmq(engines)])
      const reasons = clearings.flatMap((clearing): readonly unknown[] => (clearing.status === 'rejected' ? [clearing.reason] : []))
      if (reasons.length > 0) throw new Mendable(reasons.map(reasonOf).join('; '), { cause: reasons[0] })
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
