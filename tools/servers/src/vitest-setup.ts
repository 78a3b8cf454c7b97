import { appendFileSync } from 'node:fs'
import process from 'node:process'
import type { TestProject } from 'vitest/node'
import { reasonOf, ServerNotAvailable } from './errors.ts'
import { findCassandra } from './find-cassandra.ts'
import { findRabbitmq } from './find-rabbitmq.ts'
import type { AmqpEndpoint, CassandraEndpoint, Found, Say } from './types.ts'

/** The servers that the tests of a run share. */
export interface Servers {
  readonly cassandra: CassandraEndpoint
  readonly amqp: AmqpEndpoint
}

declare module 'vitest' {
  interface ProvidedContext {
    servers: Servers
  }
}

/** What files see while they are collected on a machine that has no servers; none of their tests runs. */
const nowhere: Servers = {
  cassandra: { contactPoints: ['nowhere.invalid:9042'], localDataCenter: 'nowhere', version: '0.0.0' },
  amqp: { url: 'amqp://nowhere.invalid', version: '0.0.0' },
}

const say: Say = (line) => process.stderr.write(`${line}\n`)

/** Shows a line at the end: of the run, or of what the run is a part of. */
const note = (line: string): void => {
  const file = process.env['NOTES_FILE']
  if (file === undefined) say(line)
  else appendFileSync(file, `${line}\n`)
}

/** What tests start looks for servers too, and finds those of the run. */
const handDown = ({ cassandra: { contactPoints, localDataCenter, credentials }, amqp: { url } }: Servers): void => {
  Object.assign(process.env, {
    TASKLEDGER_SERVERS: 'environment',
    CASSANDRA_CONTACT_POINTS: contactPoints.join(','),
    CASSANDRA_LOCAL_DATA_CENTER: localDataCenter,
    ...(credentials === undefined ? {} : { CASSANDRA_USERNAME: credentials.username, CASSANDRA_PASSWORD: credentials.password }),
    AMQP_URL: url,
  })
}

/** Finds one Cassandra and one RabbitMQ for the whole run, `servers`, and stops at its end what it started. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const searches: readonly [Promise<Found<CassandraEndpoint>>, Promise<Found<AmqpEndpoint>>] = [
    findCassandra({ say }),
    findRabbitmq({ say }),
  ]
  const outcomes = await Promise.allSettled(searches)
  const teardown = async (): Promise<void> => {
    await Promise.all(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.stop() : Promise.resolve())))
  }
  const errors = outcomes.flatMap((outcome): readonly unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []))
  const [cassandra, amqp] = outcomes
  if (cassandra.status === 'fulfilled' && amqp.status === 'fulfilled') {
    const servers: Servers = { cassandra: cassandra.value.endpoint, amqp: amqp.value.endpoint }
    project.provide('servers', servers)
    handDown(servers)
    return teardown
  }
  await teardown()
  const grave = errors.filter((each) => !(each instanceof ServerNotAvailable) || isCi())
  if (grave.length > 0) throw new Error(grave.map(reasonOf).join('\n'))
  project.provide('servers', nowhere)
  // Matches no name: each test counts as skipped, and no hook runs.
  project.config.testNamePattern = /(?!)/
  return () => {
    const reasons = errors.map((each) => (each instanceof ServerNotAvailable ? each.message.replaceAll('\n', ' ') : ''))
    note(`Not tested: what runs on real servers. ${reasons.join('. ')}`)
    return Promise.resolve()
  }
}

const isCi = (): boolean => !['', '0', 'false', undefined].includes(process.env['CI'])
