import process from 'node:process'
import type { Attempt, Engine, Found, Origin, Say } from '../engine.ts'
import { origins } from '../engine.ts'
import { reasonOf, ServerNotAvailable, WrongEnvironment } from '../errors.ts'

export interface FindOptions {
  readonly say: Say
  /** The only place to look at. Default: the value of `TASKLEDGER_SERVERS`, or all places in turn. */
  readonly only?: Origin
}

const described: Readonly<Record<Origin, string>> = {
  environment: 'given by the environment',
  machine: 'running on this machine',
  docker: 'in Docker',
  started: 'started for this run',
}

const onlyFromEnvironment = (): Origin | undefined => {
  const value = process.env['TASKLEDGER_SERVERS']
  if (value === undefined || value === '') return undefined
  const origin = origins.find((each) => each === value)
  if (origin === undefined) throw new WrongEnvironment(`TASKLEDGER_SERVERS is ${value}: give one of ${origins.join(', ')}`)
  return origin
}

/**
 * Finds the first server of an engine: from the environment, on this machine, in Docker, or as a process started here.
 *
 * @throws {@link ServerNotAvailable} where there is no server; whatever else a place rejects with.
 */
export const find = async <Endpoint>(
  { name, places, describe }: Pick<Engine<Endpoint>, 'name' | 'places' | 'describe'>,
  { say, only = onlyFromEnvironment() }: FindOptions,
): Promise<Found<Endpoint>> => {
  const absent: string[] = []
  let last: ServerNotAvailable | undefined
  const look = places(say)
  for (const origin of only === undefined ? origins : [only]) {
    try {
      const attempt = await look[origin]()
      if (attempt.type === 'present') {
        say(`${name}, ${described[origin]}: ${describe(attempt.endpoint)}`)
        return { endpoint: attempt.endpoint, origin, stop: attempt.stop }
      }
      absent.push(attempt.why)
    } catch (error) {
      if (!(error instanceof ServerNotAvailable)) throw error
      last = error
    }
  }
  if (last !== undefined && absent.length === 0) throw last
  const remedy = last?.message ?? 'To look elsewhere too, unset TASKLEDGER_SERVERS'
  throw new ServerNotAvailable(`There is no ${name}: ${absent.join('; ')}`, remedy, { cause: last })
}

/** Turns a probe of a server into an attempt: a server that does not answer is absent. */
export const attempt = async <Endpoint>(probe: Promise<Endpoint>, why: string): Promise<Attempt<Endpoint>> => {
  try {
    return running(await probe)
  } catch (error) {
    return { type: 'absent', why: `${why} (${reasonOf(error)})` }
  }
}

/** A server that was there before this process, which therefore does not stop it. */
export const running = <Endpoint>(endpoint: Endpoint): Attempt<Endpoint> => ({
  type: 'present',
  endpoint,
  stop: () => Promise.resolve(),
})
