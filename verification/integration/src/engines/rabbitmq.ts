import process from 'node:process'
import type { TaskMessaging } from '@taskledger/core/ports'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { AmqpEndpoint, RabbitmqProcess } from '@taskledger/servers'
import { findRabbitmq, startRabbitmq } from '@taskledger/servers'
import type { Harness } from '@taskledger/test-kit'
import { eventBusContract, workQueueContract } from '@taskledger/test-kit'
import { Broker } from '../../../../packages/rabbitmq/test/broker.ts'
import { harnessFor, rememberQueues } from '../../../../packages/rabbitmq/test/harness.ts'
import type { Side, TestedEngine } from './engine.ts'
import { harnessOn, portReport } from './engine.ts'

/** A broker, on which each rule has a prefix. */
export const rabbitmqSide = ({ url, version }: AmqpEndpoint): Side<TaskMessaging> => {
  let broker: Broker | undefined
  const known = (): Broker => {
    if (broker === undefined) throw new TypeError('the side was not started: call start first')
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

const isOwnBroker = (server: object): server is RabbitmqProcess => 'flush' in server

export const rabbitmq: TestedEngine = {
  open: async (say) => {
    const server = process.env['AMQP_URL'] === undefined ? await startRabbitmq({ say, name: 'compatibility' }) : await findRabbitmq({ say })
    const on = <Port>(harness: Harness<Port>): Harness<Port> =>
      harnessOn(server, harness, {
        name: harness.name,
        beforeKill: async () => {
          if (isOwnBroker(server)) await server.flush()
        },
      })
    return {
      ports: [
        portReport(workQueueContract(on(harnessFor('queue', server.endpoint)))),
        portReport(eventBusContract(on(harnessFor('bus', server.endpoint)))),
      ],
      messaging: rabbitmqSide(server.endpoint),
      close: () => server.stop(),
    }
  },
}
