import process from 'node:process'
import { askRabbitmq, withoutPassword } from './ask-rabbitmq.ts'
import { rabbitmqInDocker } from './docker.ts'
import { reasonOf, WrongEnvironment } from './errors.ts'
import { attempt, climb } from './ladder.ts'
import type { Attempt, FindOptions } from './ladder.ts'
import { startRabbitmq } from './start-rabbitmq.ts'
import type { AmqpEndpoint, Found } from './types.ts'

type Environment = Readonly<Record<string, string | undefined>>
type Ask = (url: string, timeoutMs: number) => Promise<AmqpEndpoint>

/** What the environment says of a RabbitMQ; rejects where what it says does not work. */
export const rabbitmqFromEnvironment = async (environment: Environment, ask: Ask): Promise<Attempt<AmqpEndpoint>> => {
  const { AMQP_URL: url = '' } = environment
  if (url === '') return { type: 'absent', why: 'AMQP_URL is not set' }
  try {
    return { type: 'present', endpoint: await ask(url, 15_000), stop: () => Promise.resolve() }
  } catch (error) {
    throw new WrongEnvironment(`AMQP_URL is ${withoutPassword(url)}, where no RabbitMQ can be used: ${reasonOf(error)}`, { cause: error })
  }
}

/**
 * A RabbitMQ to test with: that of `AMQP_URL`, else one on this machine, else one in Docker, else one that is started here.
 * Settles within a minute, or some minutes where something has to be fetched.
 *
 * @throws {@link ServerNotAvailable} where none can be had, {@link WrongEnvironment} where the environment names one that does not work.
 */
export const findRabbitmq = (options: FindOptions): Promise<Found<AmqpEndpoint>> =>
  climb(
    'RabbitMQ',
    {
      environment: () => rabbitmqFromEnvironment(process.env, askRabbitmq),
      machine: () => attempt(askRabbitmq('amqp://guest:guest@127.0.0.1:5672', 5_000), 'none answers guest at 127.0.0.1:5672'),
      docker: () => rabbitmqInDocker(options.say),
      started: async () => {
        const { endpoint, stop } = await startRabbitmq({ say: options.say, name: 'shared' })
        return { type: 'present', endpoint, stop }
      },
    },
    ({ version, url }) => `${version} at ${withoutPassword(url)}`,
    options,
  )
