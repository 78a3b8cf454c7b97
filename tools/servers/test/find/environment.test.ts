import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { CassandraCandidate } from '../../src/cassandra/probe.ts'
import { cassandraFromEnvironment } from '../../src/cassandra/engine.ts'
import { rabbitmq, rabbitmqFromEnvironment } from '../../src/rabbitmq/engine.ts'
import { findScripts } from '../../src/rabbitmq/start.ts'

const cassandraAnswers = async (candidate: CassandraCandidate) => ({ localDataCenter: 'dc1', ...candidate, version: '5.0.8' })
const rabbitmqAnswers = async (url: string) => ({ url, version: '3.10.8' })
const refuses = () => Promise.reject(new Error('connection refused'))

describe('the Cassandra of the environment', () => {
  test('is absent if the environment does not name one', async () => {
    expect(await cassandraFromEnvironment({}, cassandraAnswers)).toMatchObject({ type: 'absent' })
    expect(await cassandraFromEnvironment({ CASSANDRA_CONTACT_POINTS: '' }, cassandraAnswers)).toMatchObject({ type: 'absent' })
  })

  test('has ports, a data centre and credentials', async () => {
    const environment = {
      CASSANDRA_CONTACT_POINTS: 'one, two:19042',
      CASSANDRA_LOCAL_DATA_CENTER: 'east',
      CASSANDRA_USERNAME: 'tasks',
      CASSANDRA_PASSWORD: 'secret',
    }
    expect(await cassandraFromEnvironment(environment, cassandraAnswers)).toMatchObject({
      type: 'present',
      endpoint: {
        contactPoints: ['one:9042', 'two:19042'],
        localDataCenter: 'east',
        credentials: { username: 'tasks', password: 'secret' },
        version: '5.0.8',
      },
    })
  })

  test('names its data centre itself where none is given', async () => {
    const found = await cassandraFromEnvironment({ CASSANDRA_CONTACT_POINTS: 'one' }, cassandraAnswers)
    expect(found).toMatchObject({ endpoint: { localDataCenter: 'dc1' } })
  })

  test('is an error that names the variable and the reason if it does not answer', async () => {
    await expect(cassandraFromEnvironment({ CASSANDRA_CONTACT_POINTS: 'one' }, refuses)).rejects.toThrow(
      'CASSANDRA_CONTACT_POINTS is one, where no Cassandra can be used: connection refused',
    )
  })

  test('is an error with half of its credentials', async () => {
    const environment = { CASSANDRA_CONTACT_POINTS: 'one', CASSANDRA_USERNAME: 'tasks' }
    await expect(cassandraFromEnvironment(environment, cassandraAnswers)).rejects.toThrow('CASSANDRA_PASSWORD')
  })
})

describe('the RabbitMQ of the environment', () => {
  test('is absent if the environment does not name one', async () => {
    expect(await rabbitmqFromEnvironment({}, rabbitmqAnswers)).toMatchObject({ type: 'absent' })
  })

  test('is the one of AMQP_URL', async () => {
    const found = await rabbitmqFromEnvironment({ AMQP_URL: 'amqp://one/tasks' }, rabbitmqAnswers)
    expect(found).toMatchObject({ type: 'present', endpoint: { url: 'amqp://one/tasks', version: '3.10.8' } })
  })

  test.for(['amqp://me:secret@one', 'amqp://me:se/cret@one', 'amqp://me:s@e?c#r@one', 'me:secret@one'])(
    'is an error without the password if it does not answer: %s',
    async (url) => {
      const error: unknown = await rabbitmqFromEnvironment({ AMQP_URL: url }, refuses).catch((thrown: unknown) => thrown)
      expect(String(error)).toMatch(/AMQP_URL is (amqp:\/\/)?one, where no RabbitMQ can be used: connection refused/)
    },
  )
})

describe('the RabbitMQ that RABBITMQ_HOME names', () => {
  afterEach(() => void vi.unstubAllEnvs())

  test('is the one that is started, and no other one is looked for', async () => {
    const home = await mkdtemp(join(tmpdir(), 'rabbitmq-home-'))
    try {
      await mkdir(join(home, 'sbin'))
      for (const script of ['rabbitmq-server', 'rabbitmqctl']) await writeFile(join(home, 'sbin', script), '')
      vi.stubEnv('RABBITMQ_HOME', home)
      expect(findScripts()).toBe(join(home, 'sbin'))
      const { machine, docker } = rabbitmq.places(() => {})
      for (const place of [machine, docker]) expect(await place()).toEqual({ type: 'absent', why: `RABBITMQ_HOME is ${home}` })
    } finally {
      await rm(home, { recursive: true })
    }
  })

  test('is an error that says what is missing if it has no scripts', () => {
    vi.stubEnv('RABBITMQ_HOME', '/nowhere')
    expect(findScripts).toThrow('RABBITMQ_HOME is /nowhere, which has no rabbitmq-server in sbin or bin: give the folder that has it')
  })
})
