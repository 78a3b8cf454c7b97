import type { AmqpEndpoint } from './endpoint.ts'
import type { RabbitmqProcess } from './start.ts'

/** Creates a vhost on a broker that was started here, with all permissions for its guest. */
export const createVhost = async (broker: RabbitmqProcess, vhost: string): Promise<AmqpEndpoint> => {
  await broker.ctl('add_vhost', vhost)
  await broker.ctl('set_permissions', '--vhost', vhost, 'guest', '.*', '.*', '.*')
  return { ...broker.endpoint, url: `${broker.endpoint.url}/${encodeURIComponent(vhost)}` }
}
