import { within } from '@taskledger/core/ports'
import type { Attempt, Say } from '../engine.ts'
import { bounded, reasonOf } from '../errors.ts'

// An engine that cannot reach its registry may try for long, and the library fetches small images of its own.
const engineTimeoutMs = 45_000
const pullTimeoutMs = 240_000
const startTimeoutMs = 240_000

interface Container {
  stop(): Promise<unknown>
}

interface Image<Endpoint> {
  readonly name: string
  /** Starts a container, and gives the probe of the server inside. */
  start(): Promise<{ readonly container: Container; probe(): Promise<Endpoint> }>
}

/** The libraries for Docker are large: they are only loaded here. */
const connect = async () => {
  const { getContainerRuntimeClient, ImageName } = await import('testcontainers')
  return { client: await within(getContainerRuntimeClient(), bounded('asking Docker', engineTimeoutMs)), ImageName }
}

/** A server in a container. */
export const inDocker = async <Endpoint>({ name, start }: Image<Endpoint>, say: Say): Promise<Attempt<Endpoint>> => {
  let docker: Awaited<ReturnType<typeof connect>>
  try {
    docker = await connect()
  } catch (error) {
    return { type: 'absent', why: `no Docker engine can be used (${reasonOf(error)})` }
  }
  try {
    const image = docker.ImageName.fromString(name)
    if (!(await within(docker.client.image.exists(image), bounded('asking Docker for its images', engineTimeoutMs)))) {
      say(`Docker fetches ${name}: some 200 MB, a minute or two the first time`)
      await within(docker.client.image.pull(image), bounded(`fetching ${name}`, pullTimeoutMs))
    }
    say(`Starting ${name} in Docker, some 15 s`)
    const starting = start()
    const { container, probe } = await within(starting, bounded('the start', startTimeoutMs)).catch((error: unknown) => {
      // The container may start after all, when nothing waits for it any more.
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
      return { type: 'present', endpoint: await probe(), stop }
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
