import { mkdirSync } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { migrate } from '@taskledger/cassandra'
import type { AmqpEndpoint, CassandraEndpoint, CommitlogSync, Found, Say } from '@taskledger/servers'
import { findCassandra, findRabbitmq, freshKeyspaceName, startCassandra, startRabbitmq } from '@taskledger/servers'
import type { BareCommands, BareNodeArgument } from '../floors/bare-node.ts'
import { createBareTables } from '../floors/bare-schema.ts'
import { startChild } from '../nodes/child.ts'
import type { NodeArgument, NodeCommands, Report } from '../nodes/commands.ts'
import { freshPrefix } from '../nodes/prefix.ts'
import type { Endpoints } from './endpoints.ts'
import { clientOf, settingsOf } from './endpoints.ts'
import type { Cluster, Node, NodeOptions, OwnServers, Platform } from './platform.ts'

export interface ServersOptions {
  readonly say: Say
  /** Starts servers with this `commitlog_sync`. Default: servers that can be found. */
  readonly sync: CommitlogSync | undefined
  /** The folder that nodes log to. Default: the console. */
  readonly logInto: string | undefined
  /** The folder for CPU profiles. Default: none. */
  readonly profileInto: string | undefined
}

interface Opened {
  readonly cassandra: Found<CassandraEndpoint>
  readonly amqp: Found<AmqpEndpoint>
  readonly own: OwnServers | undefined
}

const open = async ({ say, sync }: ServersOptions): Promise<Opened> => {
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

/** Makes the keyspace of a run, with the tables of the adapter and those of the floors. */
const prepare = async (endpoints: Endpoints): Promise<void> => {
  const { cassandra, keyspace } = endpoints
  const { version: _version, ...connection } = cassandra
  await migrate({ ...connection, keyspace, replication: { class: 'SimpleStrategy', replication_factor: 1 } })
  const client = clientOf(endpoints)
  try {
    await createBareTables(client)
  } finally {
    await client.shutdown()
  }
}

/** Cassandra and RabbitMQ: every node is a process of its own. */
export const openServers = async (options: ServersOptions): Promise<Platform> => {
  const { logInto, profileInto } = options
  if (logInto !== undefined) mkdirSync(logInto, { recursive: true })
  const { cassandra, amqp, own } = await open(options)
  const endpoints: Endpoints = { cassandra: cassandra.endpoint, amqp: amqp.endpoint, keyspace: freshKeyspaceName() }
  const close = async (): Promise<void> => {
    const client = clientOf(endpoints, { isWithoutKeyspace: true })
    await client.execute(`DROP KEYSPACE IF EXISTS "${endpoints.keyspace}"`)
    await client.shutdown()
    await Promise.all([cassandra.stop(), amqp.stop()])
  }
  const target = { type: 'servers', endpoints } as const
  const execArgv = profileInto === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profileInto]
  const logOf = (name: string, isFaulty: boolean): string | undefined =>
    logInto === undefined ? (isFaulty ? devNull : undefined) : join(logInto, `${name}.log`)

  const startNodes = async ({ prefix, nodes, isCounting = false, isUnguarded = false, isFaulty = false }: NodeOptions) => {
    const children = Object.entries(nodes).map(([name, slots]): Node => {
      const log = logOf(`${prefix}-${name}`, isFaulty)
      const argument: NodeArgument = { target, prefix, name, slots, isCounting, isUnguarded, ...(log === undefined ? {} : { log }) }
      return startChild<NodeCommands, Report>(new URL('../nodes/main.ts', import.meta.url), argument, execArgv)
    })
    await Promise.all(children.map((child) => child.call('open')))
    return children
  }

  const startFloor: Platform['startFloor'] = async ({ slots, isCounting = false }): Promise<Cluster> => {
    const argument: BareNodeArgument = { endpoints, name: freshPrefix(), isCounting }
    const children = ['worker', 'worker', 'submitter'].map(() =>
      startChild<BareCommands>(new URL('../floors/bare-node.ts', import.meta.url), argument, execArgv),
    )
    await Promise.all(children.map((child) => child.call('open')))
    await Promise.all(children.slice(0, 2).map((child) => child.call('work', slots)))
    return children
  }

  try {
    await prepare(endpoints)
    const settings = await settingsOf(endpoints)
    const origin = `${cassandra.origin}, ${amqp.origin}`
    const versions = { cassandra: cassandra.endpoint.version, rabbitmq: amqp.endpoint.version }
    return {
      name: 'servers',
      about: `Cassandra ${versions.cassandra}, commitlog_sync ${settings.commitlogSync}, paxos ${settings.paxosVariant}; RabbitMQ ${versions.rabbitmq} (${origin}); Node ${process.version}`,
      facts: { ...versions, servers: origin, ...settings },
      target,
      servers: { endpoints, own },
      startNodes,
      startFloor,
      logOf,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
