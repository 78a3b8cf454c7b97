import { taskManagerContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { afterAll, beforeAll, inject, vi } from 'vitest'
import { memoryStorageSide } from '../src/engines/memory.ts'
import { harnessOf, startPair, stopPair, sampleOf } from '../src/pair.ts'
import { rabbitmqSide } from '../src/engines/rabbitmq.ts'

// Each rule starts a cluster, some with a large load: more of them at once only wait for one another.
vi.setConfig({ maxConcurrency: 6 })

const { amqp } = inject('servers')
const pair = { storage: memoryStorageSide, messaging: rabbitmqSide(amqp) }

beforeAll(() => startPair(pair))
afterAll(() => stopPair(pair))

describeContract(sampleOf(taskManagerContract(harnessOf(pair))))
