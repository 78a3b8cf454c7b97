import { taskManagerContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { afterAll, beforeAll, inject } from 'vitest'
import { cassandraSide } from '../src/cassandra-side.ts'
import { harnessOf, startPair, stopPair } from '../src/pair.ts'
import { rabbitmqSide } from '../src/rabbitmq-side.ts'

const { amqp, cassandra } = inject('servers')
const pair = { storage: cassandraSide(cassandra), messaging: rabbitmqSide(amqp) }

beforeAll(() => startPair(pair))
afterAll(() => stopPair(pair))

describeContract(taskManagerContract(harnessOf(pair)))
