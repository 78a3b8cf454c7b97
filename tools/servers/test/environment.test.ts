import { describe, expect, test } from 'vitest'
import type { CassandraCandidate } from '../src/ask-cassandra.ts'
import { cassandraFromEnvironment } from '../src/find-cassandra.ts'
import { rabbitmqFromEnvironment } from '../src/find-rabbitmq.ts'

const cassandraAnswers = async (candidate: CassandraCandidate) => ({ localDataCenter: 'dc1', ...candidate, version: '5.0.8' })
const rabbitmqAnswers = async (url: string) => ({ url, version: '3.10.8' })
const refuses = () => Promise.reject(new Error('connection refused'))

describe('Cassandra of the environment', () => {
  test('is absent where the environment does not name it', async () => {
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

  test('says its data centre itself where it is not given', async () => {
    const found = await cassandraFromEnvironment({ CASSANDRA_CONTACT_POINTS: 'one' }, cassandraAnswers)
    expect(found).toMatchObject({ endpoint: { localDataCenter: 'dc1' } })
  })

  test('that does not answer is an error which names the variable and the reason', async () => {
    await expect(cassandraFromEnvironment({ CASSANDRA_CONTACT_POINTS: 'one' }, refuses)).rejects.toThrow(
      'CASSANDRA_CONTACT_POINTS is one, where no Cassandra can be used: connection refused',
    )
  })

  test('with half of its credentials is an error', async () => {
    const environment = { CASSANDRA_CONTACT_POINTS: 'one', CASSANDRA_USERNAME: 'tasks' }
    await expect(cassandraFromEnvironment(environment, cassandraAnswers)).rejects.toThrow('CASSANDRA_PASSWORD')
  })
})

describe('RabbitMQ of the environment', () => {
  test('is absent where the environment does not name it', async () => {
    expect(await rabbitmqFromEnvironment({}, rabbitmqAnswers)).toMatchObject({ type: 'absent' })
  })

  test('is the one of AMQP_URL', async () => {
    const found = await rabbitmqFromEnvironment({ AMQP_URL: 'amqp://one/tasks' }, rabbitmqAnswers)
    expect(found).toMatchObject({ type: 'present', endpoint: { url: 'amqp://one/tasks', version: '3.10.8' } })
  })

  test('that does not answer is an error, which does not show the password', async () => {
    const found = rabbitmqFromEnvironment({ AMQP_URL: 'amqp://me:secret@one' }, refuses)
    await expect(found).rejects.toThrow('AMQP_URL is amqp://one, where no RabbitMQ can be used: connection refused')
  })
})
