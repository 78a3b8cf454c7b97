import { taskManagerContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { afterAll, beforeAll, inject } from 'vitest'
import { memoryStorageSide } from '../src/memory-sides.ts'
import { harnessOf, startPair, stopPair, telling } from '../src/pair.ts'
import { rabbitmqSide } from '../src/rabbitmq-side.ts'

const { amqp } = inject('servers')
const pair = { storage: memoryStorageSide, messaging: rabbitmqSide(amqp) }

beforeAll(() => startPair(pair))
afterAll(() => stopPair(pair))

describeContract(telling(taskManagerContract(harnessOf(pair))))
