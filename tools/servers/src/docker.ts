import process from 'node:process'
import { askCassandra } from './ask-cassandra.ts'
import { askRabbitmq } from './ask-rabbitmq.ts'
import { reasonOf } from './errors.ts'
import type { Attempt } from './ladder.ts'
import type { AmqpEndpoint, CassandraEndpoint, Say } from './types.ts'
import { within } from './within.ts'

// An engine that cannot reach its registry may try for long, and the library fetches small images of its own.
const engineTimeoutMs = 45_000
const pullTimeoutMs = 240_000
const startTimeoutMs = 240_000

interface Container {
  stop(): Promise<unknown>
}

interface Image<Endpoint> {
  readonly name: string
  /** Starts a container and says how it is reached. */
  start(): Promise<{ readonly container: Container; ask(): Promise<Endpoint> }>
}

/** The libraries for Docker are loaded where it comes to Docker: they are large. */
const engine = async () => {
  const { getContainerRuntimeClient, ImageName } = await import('testcontainers')
  return { client: await within(engineTimeoutMs, 'asking Docker', getContainerRuntimeClient()), ImageName }
}

const inDocker = async <Endpoint>({ name, start }: Image<Endpoint>, say: Say): Promise<Attempt<Endpoint>> => {
  let docker: Awaited<ReturnType<typeof engine>>
  try {
    docker = await engine()
  } catch (error) {
    return { type: 'absent', why: `no Docker engine can be used (${reasonOf(error)})` }
  }
  try {
    const image = docker.ImageName.fromString(name)
    if (!(await within(engineTimeoutMs, 'asking Docker for its images', docker.client.image.exists(image)))) {
      say(`Docker fetches ${name}: some 200 MB, a minute or two the first time`)
      await within(pullTimeoutMs, `fetching ${name}`, docker.client.image.pull(image))
    }
    say(`Starting ${name} in Docker, some 15 s`)
    const starting = start()
    const { container, ask } = await within(startTimeoutMs, 'the start', starting).catch((error: unknown) => {
      // It may come up after all, when nobody waits for it any more.
      starting.then(
        ({ container }) => container.stop(),
        () => {},
      )
      throw error
    })
    const stop = async (): Promise<void> => {
      await container.stop()
    }
    try {
      return { type: 'present', endpoint: await ask(), stop }
    } catch (error) {
      await stop()
      throw error
    }
  } catch (error) {
    const why = `Docker does not start ${name} (${reasonOf(error)})`
    say(why)
    return { type: 'absent', why }
  }
}

/** A Cassandra in a container, of the image that `CASSANDRA_IMAGE` names. */
export const cassandraInDocker = (say: Say): Promise<Attempt<CassandraEndpoint>> => {
  const name = process.env['CASSANDRA_IMAGE'] ?? 'cassandra:5.0.8'
  const start: Image<CassandraEndpoint>['start'] = async () => {
    const { CassandraContainer } = await import('@testcontainers/cassandra')
    const container = await new CassandraContainer(name).withEnvironment({ MAX_HEAP_SIZE: '512M', HEAP_NEWSIZE: '128M' }).start()
    const candidate = {
      contactPoints: [container.getContactPoint()],
      localDataCenter: container.getDatacenter(),
      credentials: { username: container.getUsername(), password: container.getPassword() },
    }
    return { container, ask: () => askCassandra(candidate, 30_000) }
  }
  return inDocker({ name, start }, say)
}

/** A RabbitMQ in a container, of the image that `RABBITMQ_IMAGE` names. */
export const rabbitmqInDocker = (say: Say): Promise<Attempt<AmqpEndpoint>> => {
  const name = process.env['RABBITMQ_IMAGE'] ?? 'rabbitmq:4.3-alpine'
  const start: Image<AmqpEndpoint>['start'] = async () => {
    const { RabbitMQContainer } = await import('@testcontainers/rabbitmq')
    const container = await new RabbitMQContainer(name).withStartupTimeout(90_000).start()
    // The address that the container gives names nobody.
    const url = container.getAmqpUrl().replace('amqp://', 'amqp://guest:guest@')
    return { container, ask: () => askRabbitmq(url, 30_000) }
  }
  return inDocker({ name, start }, say)
}
