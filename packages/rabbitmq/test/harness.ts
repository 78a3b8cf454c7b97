import type { Logger, TaskMessaging } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { AmqpEndpoint } from '@taskledger/servers'
import type { Harness, Subject, TcpProxy } from '@taskledger/test-kit'
import { tcpProxy } from '@taskledger/test-kit'
import { Broker } from './broker.ts'

/** Short timeouts, so that a fault takes seconds, not minutes. */
export const quickly = { heartbeatSeconds: 1, confirmTimeoutMs: 2_000, connectTimeoutMs: 5_000, lazyAcknowledgementMs: 100 } as const

/** A logger that collects the names of declared queues, because RabbitMQ cannot list the queues of a prefix over AMQP. */
export const rememberQueues = (queues: Set<string>): Logger => ({
  ...silentLogger,
  debug: (fields) => {
    if ('queue' in fields) queues.add(String(fields.queue))
  },
})

/** A client, and the network between it and the broker. */
interface Client {
  readonly messaging: TaskMessaging
  readonly proxy: TcpProxy
}

/** The harness of one of the two ports. Each client has a network of its own, so that a rule can cut off one client alone. */
export const harnessFor = <Port extends 'queue' | 'bus'>(port: Port, { url, version }: AmqpEndpoint): Harness<TaskMessaging[Port]> => ({
  name: `rabbitmq ${version}`,
  // It reads one message at a time, and gives some tens back at a time.
  pageRows: 30,
  open: async ({ namespace }) => {
    const clients: Client[] = []
    const queues = new Set<string>()
    const connect = async (): Promise<TaskMessaging[Port]> => {
      const target = new URL(url)
      const proxy = await tcpProxy({ host: target.hostname, port: Number(target.port || 5672) })
      target.host = `${proxy.host}:${proxy.port}`
      const messaging = await rabbitmqMessaging({ url: target.href, prefix: namespace, logger: rememberQueues(queues), ...quickly })
      clients.push({ messaging, proxy })
      return messaging[port]
    }
    const inflict = (fault: 'refuse' | 'stall' | 'loseReplies') => async () => {
      const heals = await Promise.all(clients.map(({ proxy }) => proxy.faults[fault]()))
      return async () => {
        await Promise.all(heals.map((heal) => heal()))
      }
    }
    const networkOf = (client: TaskMessaging[Port]): TcpProxy => {
      const found = clients.find(({ messaging }) => messaging[port] === client)
      if (found === undefined) throw new Error('no such client was opened')
      return found.proxy
    }
    const subject: Subject<TaskMessaging[Port]> = {
      port: await connect(),
      peer: connect,
      faults: {
        cut: async () => {
          await Promise.all(clients.map(({ proxy }) => proxy.faults.cut()))
        },
        refuse: inflict('refuse'),
        stall: inflict('stall'),
        silence: async () => {
          await Promise.all(clients.map(({ proxy }) => proxy.faults.silence()))
        },
        loseReplies: inflict('loseReplies'),
      },
      inject: async (bytes, where) => {
        if (port === 'bus') return broker.publish(`${namespace}.events`, '', bytes)
        // The queue is declared when it is first used.
        const consumer = await clients[0]?.messaging.queue.consume(where, async () => {}, { slots: 0, mode: 'parallel' })
        await consumer?.close()
        await broker.publish('', `${namespace}.work.${where}`, bytes)
      },
      stallClient: (client) => networkOf(client).faults.stall(),
      openRefused: async (password) => {
        const refused = new URL(url)
        refused.password = password
        return (await rabbitmqMessaging({ url: refused.href, prefix: namespace, logger: silentLogger, ...quickly }))[port]
      },
      inspect: () => ({ queues: [...queues] }),
      [Symbol.asyncDispose]: async () => {
        await Promise.all(clients.map(({ messaging }) => messaging.close()))
        await Promise.all(clients.map(({ proxy }) => proxy[Symbol.asyncDispose]()))
        await broker.close(queues, `${namespace}.events`)
      },
    }
    const broker = await Broker.connect(url)
    if (port === 'bus') return subject
    return {
      ...subject,
      // Its network is cut permanently: nothing the client does from now on reaches the broker.
      kill: async (client) => {
        await networkOf(client).faults.refuse()
      },
    }
  },
})
