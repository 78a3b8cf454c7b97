import type { TaskMessaging } from '@taskledger/core/ports'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { AmqpEndpoint } from '@taskledger/servers'
import { Broker } from '../../../packages/rabbitmq/test/broker.ts'
import { rememberQueues } from '../../../packages/rabbitmq/test/harness.ts'
import type { Side } from './side.ts'

/** A broker, on which each rule has its own prefix. */
export const rabbitmqSide = ({ url, version }: AmqpEndpoint): Side<TaskMessaging> => {
  let broker: Broker | undefined
  const known = (): Broker => {
    if (broker === undefined) throw new TypeError('the side was not started')
    return broker
  }
  return {
    name: `rabbitmq ${version}`,
    start: async () => {
      broker = await Broker.connect(url)
    },
    open: (prefix) => {
      const queues = new Set<string>()
      return {
        client: () => rabbitmqMessaging({ url, prefix, logger: rememberQueues(queues) }),
        inject: (bytes, kind, queue) =>
          kind === 'bus' ? known().publish(`${prefix}.events`, '', bytes) : known().publish('', `${prefix}.work.${queue}`, bytes),
        inspect: () => ({ prefix, queues: [...queues] }),
        dispose: async () => {
          const own = await Broker.connect(url)
          await own.close(queues, `${prefix}.events`)
        },
      }
    },
    stop: async () => broker?.close(),
  }
}
