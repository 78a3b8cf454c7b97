import { migrate } from '@taskledger/cassandra'
import type { CommitlogSync, Found } from '@taskledger/servers'
import { findCassandra, findRabbitmq, freshKeyspaceName, startCassandra, startRabbitmq } from '@taskledger/servers'
import { createBareTables } from './floors/bare-schema.ts'
import type { Engines } from './engines.ts'
import { clientOf } from './engines.ts'

/** The servers of a run, with a fresh keyspace. */
export interface OpenEngines {
  readonly engines: Engines
  /** Where each came from. */
  readonly origin: string
  /** The processes of the servers, where they were started for this run: what they take counts as theirs. */
  readonly pids: { readonly cassandra?: number; readonly rabbitmq?: number }
  close(): Promise<void>
}

const say = (line: string): void => console.error(line)

interface Servers {
  readonly cassandra: Found<Engines['cassandra']>
  readonly amqp: Found<Engines['amqp']>
  readonly pids: OpenEngines['pids']
}

/** With `sync`, servers of this run's own; without, those that can be found. */
const openServers = async (sync: CommitlogSync | undefined): Promise<Servers> => {
  if (sync === undefined) {
    const [cassandra, amqp] = await Promise.all([findCassandra({ say }), findRabbitmq({ say })])
    return { cassandra, amqp, pids: {} }
  }
  const [cassandra, amqp] = await Promise.all([
    startCassandra({ say, name: 'benchmark', commitlogSync: sync }),
    startRabbitmq({ say, name: 'benchmark' }),
  ])
  return { cassandra, amqp, pids: { cassandra: cassandra.pid, rabbitmq: amqp.pid } }
}

export const openEngines = async (sync: CommitlogSync | undefined): Promise<OpenEngines> => {
  const { cassandra, amqp, pids } = await openServers(sync)
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
  return { engines, origin: `${cassandra.origin}, ${amqp.origin}`, pids, close }
}
