import process from 'node:process'
import { askCassandra } from './ask-cassandra.ts'
import type { CassandraCandidate } from './ask-cassandra.ts'
import { cassandraInDocker } from './docker.ts'
import { reasonOf, WrongEnvironment } from './errors.ts'
import { attempt, climb } from './ladder.ts'
import type { Attempt, FindOptions } from './ladder.ts'
import { startCassandra } from './start-cassandra.ts'
import type { CassandraEndpoint, Found } from './types.ts'

type Environment = Readonly<Record<string, string | undefined>>
type Ask = (candidate: CassandraCandidate, timeoutMs: number) => Promise<CassandraEndpoint>

/** What the environment says of a Cassandra; rejects where what it says does not work. */
export const cassandraFromEnvironment = async (environment: Environment, ask: Ask): Promise<Attempt<CassandraEndpoint>> => {
  const {
    CASSANDRA_CONTACT_POINTS: contactPoints = '',
    CASSANDRA_LOCAL_DATA_CENTER: localDataCenter,
    CASSANDRA_USERNAME: username,
    CASSANDRA_PASSWORD: password,
  } = environment
  if (contactPoints === '') return { type: 'absent', why: 'CASSANDRA_CONTACT_POINTS is not set' }
  if ((username === undefined) !== (password === undefined)) {
    throw new WrongEnvironment('CASSANDRA_USERNAME and CASSANDRA_PASSWORD have to be set both, or neither')
  }
  const candidate: CassandraCandidate = {
    contactPoints: contactPoints.split(',').map((point) => (point.trim().includes(':') ? point.trim() : `${point.trim()}:9042`)),
    ...(localDataCenter === undefined ? {} : { localDataCenter }),
    ...(username === undefined || password === undefined ? {} : { credentials: { username, password } }),
  }
  try {
    return { type: 'present', endpoint: await ask(candidate, 15_000), stop: () => Promise.resolve() }
  } catch (error) {
    throw new WrongEnvironment(`CASSANDRA_CONTACT_POINTS is ${contactPoints}, where no Cassandra can be used: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

const describe = ({ version, contactPoints, localDataCenter }: CassandraEndpoint): string =>
  `${version} at ${contactPoints.join(', ')}, data centre ${localDataCenter}`

/**
 * A Cassandra to test with: that of `CASSANDRA_CONTACT_POINTS`, else one on this machine, else one in Docker, else one that
 * is started here. Settles within a minute, or some minutes where something has to be fetched.
 *
 * @throws {@link ServerNotAvailable} where none can be had, {@link WrongEnvironment} where the environment names one that does not work.
 */
export const findCassandra = (options: FindOptions): Promise<Found<CassandraEndpoint>> =>
  climb(
    'Cassandra',
    {
      environment: () => cassandraFromEnvironment(process.env, askCassandra),
      machine: () => attempt(askCassandra({ contactPoints: ['127.0.0.1:9042'] }, 5_000), 'none answers at 127.0.0.1:9042'),
      docker: () => cassandraInDocker(options.say),
      started: async () => {
        const { endpoint, stop } = await startCassandra({
          say: options.say,
          name: 'shared',
          isShortLived: true,
          isNeverKilled: true,
        })
        return { type: 'present', endpoint, stop }
      },
    },
    describe,
    options,
  )
