import type { Servers } from '@taskledger/servers'
import { credentialsIn } from '@taskledger/servers'
import { connect } from 'amqplib'
import { Client } from 'cassandra-driver'

/** The keyspace, queues and exchange of a run that are still on the servers. */
export const leftoversOf = async (servers: Servers, name: string): Promise<readonly string[]> => [
  ...(await keyspaces(servers, name)),
  ...(await things(servers, name)),
]

const keyspaces = async ({ cassandra }: Servers, name: string): Promise<readonly string[]> => {
  const { contactPoints, localDataCenter, credentials } = cassandra
  const client = new Client({
    contactPoints: [...contactPoints],
    localDataCenter,
    ...(credentials === undefined ? {} : { credentials }),
  })
  try {
    const { rows } = await client.execute('SELECT keyspace_name FROM system_schema.keyspaces')
    return rows.map((row) => String(row['keyspace_name'])).filter((keyspace) => keyspace === name)
  } finally {
    await client.shutdown()
  }
}

const things = async ({ amqp }: Servers, prefix: string): Promise<readonly string[]> => {
  const connection = await connect(amqp.url, credentialsIn(amqp.url))
  // A check of a missing queue or exchange closes its channel.
  const isThere = async (what: 'checkQueue' | 'checkExchange', name: string): Promise<boolean> => {
    const channel = await connection.createChannel()
    channel.on('error', () => {})
    return channel[what](name).then(
      () => true,
      () => false,
    )
  }
  try {
    const found: string[] = []
    for (const queue of ['work', 'dead', 'delay.500', 'delay.700', 'delay.1000'].map((kind) => `${prefix}.${kind}.mailboxes`))
      if (await isThere('checkQueue', queue)) found.push(queue)
    if (await isThere('checkExchange', `${prefix}.events`)) found.push(`${prefix}.events`)
    return found
  } finally {
    await connection.close()
  }
}
