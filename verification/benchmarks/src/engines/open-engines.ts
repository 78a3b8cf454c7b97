import { migrate } from '@taskledger/cassandra'
import type { CommitlogSync, EngineProcess, Found, RabbitmqProcess } from '@taskledger/servers'
import { findCassandra, findRabbitmq, freshKeyspaceName, startCassandra, startRabbitmq } from '@taskledger/servers'
import { createBareTables } from './floors/bare-schema.ts'
import type { Engines } from './engines.ts'
import { clientOf } from './engines.ts'

/** Servers that were started for a run, and may be made to suffer. */
export interface OwnServers {
  readonly cassandra: EngineProcess<Engines['cassandra']>
  readonly rabbitmq: RabbitmqProcess
}

/** The servers of a run, with a fresh keyspace. */
export interface OpenEngines {
  readonly engines: Engines
  /** Where each came from. */
  readonly origin: string
  readonly own: OwnServers | undefined
  close(): Promise<void>
}

const say = (line: string): void => console.error(line)

interface Servers {
  readonly cassandra: Found<Engines['cassandra']>
  readonly amqp: Found<Engines['amqp']>
  readonly own: OwnServers | undefined
}

/** With `sync`, servers of this run's own; without, those that can be found. */
const openServers = async (sync: CommitlogSync | undefined): Promise<Servers> => {
  if (sync === undefined) {
    const [cassandra, amqp] = await Promise.all([findCassandra({ say }), findRabbitmq({ say })])
    return { cassandra, amqp, own: undefined }
  }
  const [cassandra, rabbitmq] = await Promise.all([
    startCassandra({ say, name: 'benchmark', commitlogSync: sync }),
    startRabbitmq({ say, name: 'benchmark' }),
  ])
  return { cassandra, amqp: rabbitmq, own: { cassandra, rabbitmq } }
}

export const openEngines = async (sync: CommitlogSync | undefined): Promise<OpenEngines> => {
  const { cassandra, amqp, own } = await openServers(sync)
  const engines: Engines = { cassandra: cassandra.endpoint, amqp: amqp.endpoint, keyspace: freshKeyspaceName() }
  const close = async (): Promise<void> => {
    const client = clientOf(engines, true)
    await client.execute(`DROP KEYSPACE IF EXISTS "${engines.keyspace}"`)
    await client.shutdown()
    await Promise.all([cassandra.stop(), amqp.stop()])
  }
  try {
    await migrate({ ...engines.cassandra, keyspace: engines.keyspace, replication: { class: 'SimpleStrategy', replication_factor: 1 } })
    const client = clientOf(engines)
    await createBareTables(client)
    await client.shutdown()
  } catch (error) {
    await close()
    throw error
  }
  return { engines, origin: `${cassandra.origin}, ${amqp.origin}`, own, close }
}
