import process from 'node:process'
import type { Attempt, Engine, Environment, Found } from '../engine.ts'
import { reasonOf, WrongEnvironment } from '../errors.ts'
import { inDocker } from '../find/docker.ts'
import type { FindOptions } from '../find/find.ts'
import { attempt, find, running } from '../find/find.ts'
import { isFree } from '../process/ports.ts'
import type { AmqpEndpoint } from './endpoint.ts'
import { probeRabbitmq, withoutPassword } from './probe.ts'
import { findScripts, startRabbitmq } from './start.ts'

type Probe = (url: string, timeoutMs: number) => Promise<AmqpEndpoint>

/** The RabbitMQ that the environment names; rejects where that one does not work. */
export const rabbitmqFromEnvironment = async (environment: Environment, probe: Probe): Promise<Attempt<AmqpEndpoint>> => {
  const { AMQP_URL: url = '' } = environment
  if (url === '') return { type: 'absent', why: 'AMQP_URL is not set' }
  try {
    return running(await probe(url, 15_000))
  } catch (error) {
    throw new WrongEnvironment(`AMQP_URL is ${withoutPassword(url)}, where no RabbitMQ can be used: ${reasonOf(error)}`, { cause: error })
  }
}

/** Why no other RabbitMQ is looked for, if the environment names one to start. */
const chosen = (): Attempt<AmqpEndpoint> | undefined => {
  const home = process.env['RABBITMQ_HOME'] ?? ''
  return home === '' ? undefined : { type: 'absent', why: `RABBITMQ_HOME is ${home}` }
}

/** Starts the RabbitMQ image that `RABBITMQ_IMAGE` names. */
const startContainer = async (image: string) => {
  const { RabbitMQContainer } = await import('@testcontainers/rabbitmq')
  const container = await new RabbitMQContainer(image).withStartupTimeout(90_000).start()
  // The container gives an address without a user.
  const url = container.getAmqpUrl().replace('amqp://', 'amqp://guest:guest@')
  return { container, probe: () => probeRabbitmq(url, 30_000) }
}

export const rabbitmq: Engine<AmqpEndpoint> = {
  name: 'RabbitMQ',
  nowhere: { url: 'amqp://nowhere.invalid', version: '0.0.0' },
  places: (say) => ({
    environment: () => rabbitmqFromEnvironment(process.env, probeRabbitmq),
    machine: async () =>
      chosen() ?? attempt(probeRabbitmq('amqp://guest:guest@127.0.0.1:5672', 5_000), 'none answers guest at 127.0.0.1:5672'),
    docker: async () => {
      const other = chosen()
      if (other !== undefined) return other
      const name = process.env['RABBITMQ_IMAGE'] ?? 'rabbitmq:4.3-alpine'
      return inDocker({ name, start: () => startContainer(name) }, say)
    },
    started: async () => {
      const { endpoint, stop } = await startRabbitmq({ say, name: 'shared' })
      return { type: 'present', endpoint, stop }
    },
  }),
  prepare: async () => void findScripts(),
  describe: ({ version, url }) => `${version} at ${withoutPassword(url)}`,
  environmentOf: ({ url }) => ({ AMQP_URL: url }),
  keep: async (say) => startRabbitmq({ say, name: 'kept', ...((await isFree(5672)) ? { port: 5672 } : {}) }),
}

/**
 * Finds a RabbitMQ to test with: the one of `AMQP_URL`, else one on this machine, else one in Docker, else one that is started here.
 * Settles within a minute, or some minutes where something has to be fetched.
 *
 * @throws {@link ServerNotAvailable} where none can be had, {@link WrongEnvironment} where the environment names one that does not work.
 */
export const findRabbitmq = (options: FindOptions): Promise<Found<AmqpEndpoint>> => find(rabbitmq, options)
