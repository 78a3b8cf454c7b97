import { connect } from 'amqplib'
import type { ChannelModel } from 'amqplib'
import type { Messaging, WorkQueue } from '@taskledger/core/ports'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { AmqpEndpoint } from '@taskledger/servers'
import type { Side } from './side.ts'

/** What the adapter calls things; the delays are those that the rules of the kit ask for. */
const namesOf = (prefix: string, queue: string): readonly string[] =>
  ['work', 'dead', 'serial', 'delay.10', 'delay.100'].map((kind) => `${prefix}.${kind}.${queue}`)

/** Notes which queues are named: they outlive their clients, and somebody has to delete them. */
const noting = (queue: WorkQueue, names: Set<string>): WorkQueue => ({
  capabilities: queue.capabilities,
  send: (name, ...rest) => {
    names.add(name)
    return queue.send(name, ...rest)
  },
  depth: (name, ...rest) => {
    names.add(name)
    return queue.depth(name, ...rest)
  },
  consume: (name, ...rest) => {
    names.add(name)
    return queue.consume(name, ...rest)
  },
  close: () => queue.close(),
})

/** A broker, on which each rule has its own prefix. */
export const rabbitmqSide = ({ url, version }: AmqpEndpoint): Side<Messaging> => {
  let connection: ChannelModel | undefined
  const channelOf = async () => {
    if (connection === undefined) throw new TypeError('the side was not started')
    const channel = await connection.createChannel()
    channel.on('error', () => {})
    return channel
  }
  return {
    name: `rabbitmq ${version}`,
    start: async () => {
      connection = await connect(url)
      connection.on('error', () => {})
    },
    open: (prefix) => {
      const queues = new Set<string>()
      return {
        client: async () => {
          const messaging = await rabbitmqMessaging({ url, prefix })
          return { ...messaging, queue: noting(messaging.queue, queues), bus: messaging.bus, close: () => messaging.close() }
        },
        inject: async (bytes, kind, queue) => {
          const channel = await channelOf()
          if (kind === 'bus') channel.publish(`${prefix}.events`, '', Buffer.from(bytes))
          else channel.sendToQueue(`${prefix}.work.${queue}`, Buffer.from(bytes), { persistent: true })
          await channel.close()
        },
        inspect: () => `prefix ${prefix}, queues ${[...queues].join(', ')}`,
        dispose: async () => {
          const channel = await channelOf()
          const names = [...queues].flatMap((queue) => namesOf(prefix, queue))
          await Promise.all([...names.map((name) => channel.deleteQueue(name)), channel.deleteExchange(`${prefix}.events`)])
          await channel.close()
        },
      }
    },
    stop: async () => connection?.close(),
  }
}
