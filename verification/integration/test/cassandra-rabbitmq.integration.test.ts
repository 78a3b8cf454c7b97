import { taskManagerContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { afterAll, beforeAll, inject, vi } from 'vitest'
import { cassandraSide } from '../src/engines/cassandra.ts'
import { harnessOf, startPair, stopPair } from '../src/pair.ts'
import { rabbitmqSide } from '../src/engines/rabbitmq.ts'

// Each rule starts a cluster, some with a large load: more of them at once only wait for one another.
vi.setConfig({ maxConcurrency: 6 })

const { amqp, cassandra } = inject('servers')
const pair = { storage: cassandraSide(cassandra), messaging: rabbitmqSide(amqp) }

beforeAll(() => startPair(pair))
afterAll(() => stopPair(pair))

describeContract(taskManagerContract(harnessOf(pair)))
