import process from 'node:process'
import { reasonOf, ServerNotAvailable, WrongEnvironment } from './errors.ts'
import type { Found, Origin, Say } from './types.ts'

/** There is a server: it can be used until it is stopped. */
interface Present<Endpoint> {
  readonly type: 'present'
  readonly endpoint: Endpoint
  readonly stop: () => Promise<void>
}

/** There is none of this origin, and nothing is wrong with that. */
interface Absent {
  readonly type: 'absent'
  readonly why: string
}

/** What looking for a server in one place came to. */
export type Attempt<Endpoint> = Present<Endpoint> | Absent

/** The places to look at. A rung that rejects ends the climb, unless no server can be had there: `ServerNotAvailable`. */
export type Rungs<Endpoint> = Readonly<Record<Origin, () => Promise<Attempt<Endpoint>>>>

export interface FindOptions {
  readonly say: Say
  /** The only place to look at. Default: what `TASKLEDGER_SERVERS` says, or all of them in turn. */
  readonly only?: Origin
}

const origins: readonly Origin[] = ['environment', 'machine', 'docker', 'started']

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
  if (origin === undefined) throw new WrongEnvironment(`TASKLEDGER_SERVERS is ${value}, and has to be one of ${origins.join(', ')}`)
  return origin
}

/**
 * The first server there is: of the environment, of this machine, in Docker, or a process started here.
 *
 * @throws {@link ServerNotAvailable} where there is none; whatever a rung rejects with otherwise.
 */
export const climb = async <Endpoint>(
  what: string,
  rungs: Rungs<Endpoint>,
  describe: (endpoint: Endpoint) => string,
  { say, only = onlyFromEnvironment() }: FindOptions,
): Promise<Found<Endpoint>> => {
  const absent: string[] = []
  let last: ServerNotAvailable | undefined
  for (const origin of only === undefined ? origins : [only]) {
    try {
      const attempt = await rungs[origin]()
      if (attempt.type === 'present') {
        say(`${what}, ${described[origin]}: ${describe(attempt.endpoint)}`)
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
  throw new ServerNotAvailable(`There is no ${what}: ${absent.join('; ')}`, remedy, { cause: last })
}

/** The attempt whose outcome is a question asked: a server that does not answer is an absent one. */
export const attempt = async <Endpoint>(asking: Promise<Endpoint>, why: string): Promise<Attempt<Endpoint>> => {
  try {
    // What runs already is not ours to stop.
    return { type: 'present', endpoint: await asking, stop: () => Promise.resolve() }
  } catch (error) {
    return { type: 'absent', why: `${why} (${reasonOf(error)})` }
  }
}
