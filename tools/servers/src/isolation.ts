import { randomBytes } from 'node:crypto'
import process from 'node:process'
import type { RabbitmqProcess } from './start-rabbitmq.ts'
import type { AmqpEndpoint } from './types.ts'

/** The name of a keyspace that nobody else uses. It has to be created, and dropped. */
export const freshKeyspaceName = (): string => `taskledger_${process.pid}_${randomBytes(4).toString('hex')}`

/** Creates a vhost on a broker that was started here, with all permissions for its guest. */
export const createVhost = async (broker: RabbitmqProcess, vhost: string): Promise<AmqpEndpoint> => {
  await broker.ctl('add_vhost', vhost)
  await broker.ctl('set_permissions', '--vhost', vhost, 'guest', '.*', '.*', '.*')
  return { ...broker.endpoint, url: `${broker.endpoint.url}/${encodeURIComponent(vhost)}` }
}
