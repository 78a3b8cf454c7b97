import { randomBytes } from 'node:crypto'
import process from 'node:process'
import type { Attempt, Engine, Environment, Found } from '../engine.ts'
import { reasonOf, WrongEnvironment } from '../errors.ts'
import { inDocker } from '../find/docker.ts'
import type { FindOptions } from '../find/find.ts'
import { attempt, find, running } from '../find/find.ts'
import { isFree } from '../process/ports.ts'
import type { CassandraEndpoint } from './endpoint.ts'
import type { CassandraCandidate } from './probe.ts'
import { probeCassandra } from './probe.ts'
import { defaultCassandraVersion } from './jars.ts'
import { prepareCassandra, startCassandra } from './start.ts'

type Probe = (candidate: CassandraCandidate, timeoutMs: number) => Promise<CassandraEndpoint>

/** The Cassandra that the environment names; rejects where that one does not work. */
export const cassandraFromEnvironment = async (environment: Environment, probe: Probe): Promise<Attempt<CassandraEndpoint>> => {
  const {
    CASSANDRA_CONTACT_POINTS: contactPoints = '',
    CASSANDRA_LOCAL_DATA_CENTER: localDataCenter,
    CASSANDRA_USERNAME: username,
    CASSANDRA_PASSWORD: password,
  } = environment
  if (contactPoints === '') return { type: 'absent', why: 'CASSANDRA_CONTACT_POINTS is not set' }
  if ((username === undefined) !== (password === undefined)) {
    throw new WrongEnvironment('one of CASSANDRA_USERNAME and CASSANDRA_PASSWORD is set: set both, or neither')
  }
  const candidate: CassandraCandidate = {
    contactPoints: contactPoints.split(',').map((point) => (point.trim().includes(':') ? point.trim() : `${point.trim()}:9042`)),
    ...(localDataCenter === undefined ? {} : { localDataCenter }),
    ...(username === undefined || password === undefined ? {} : { credentials: { username, password } }),
  }
  try {
    return running(await probe(candidate, 15_000))
  } catch (error) {
    throw new WrongEnvironment(`CASSANDRA_CONTACT_POINTS is ${contactPoints}, where no Cassandra can be used: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

/** Starts the Cassandra image that `CASSANDRA_IMAGE` names. */
const startContainer = async (image: string) => {
  const { CassandraContainer } = await import('@testcontainers/cassandra')
  const container = await new CassandraContainer(image).withEnvironment({ MAX_HEAP_SIZE: '512M', HEAP_NEWSIZE: '128M' }).start()
  const candidate = {
    contactPoints: [container.getContactPoint()],
    localDataCenter: container.getDatacenter(),
    credentials: { username: container.getUsername(), password: container.getPassword() },
  }
  return { container, probe: () => probeCassandra(candidate, 30_000) }
}

export const cassandra: Engine<CassandraEndpoint> = {
  name: 'Cassandra',
  nowhere: { contactPoints: ['nowhere.invalid:9042'], localDataCenter: 'nowhere', version: '0.0.0' },
  places: (say) => ({
    environment: () => cassandraFromEnvironment(process.env, probeCassandra),
    machine: () => attempt(probeCassandra({ contactPoints: ['127.0.0.1:9042'] }, 5_000), 'none answers at 127.0.0.1:9042'),
    docker: () => {
      const name = process.env['CASSANDRA_IMAGE'] ?? 'cassandra:5.0.8'
      return inDocker({ name, start: () => startContainer(name) }, say)
    },
    started: async () => {
      const { endpoint, stop } = await startCassandra({ say, name: 'shared', isShortLived: true, isNeverKilled: true })
      return { type: 'present', endpoint, stop }
    },
  }),
  prepare: async (say) => void (await prepareCassandra(defaultCassandraVersion, say)),
  describe: ({ version, contactPoints, localDataCenter }) => `${version} at ${contactPoints.join(', ')}, data centre ${localDataCenter}`,
  environmentOf: ({ contactPoints, localDataCenter, credentials }) => ({
    CASSANDRA_CONTACT_POINTS: contactPoints.join(','),
    CASSANDRA_LOCAL_DATA_CENTER: localDataCenter,
    ...(credentials === undefined ? {} : { CASSANDRA_USERNAME: credentials.username, CASSANDRA_PASSWORD: credentials.password }),
  }),
  keep: async (say) => startCassandra({ say, name: 'kept', ...((await isFree(9042)) ? { port: 9042 } : {}) }),
}

/**
 * Finds a Cassandra to test with: the one of `CASSANDRA_CONTACT_POINTS`, else one on this machine, else one in Docker, else one that is
 * started here. Settles within a minute, or some minutes where something has to be fetched.
 *
 * @throws {@link ServerNotAvailable} where none can be had, {@link WrongEnvironment} where the environment names one that does not work.
 */
export const findCassandra = (options: FindOptions): Promise<Found<CassandraEndpoint>> => find(cassandra, options)

/** The name of a keyspace that nothing else uses. The test creates it, and drops it. */
export const freshKeyspaceName = (): string => `taskledger_${process.pid}_${randomBytes(4).toString('hex')}`
