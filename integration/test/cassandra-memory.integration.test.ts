import { taskManagerContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { afterAll, beforeAll, inject } from 'vitest'
import { cassandraSide } from '../src/cassandra-side.ts'
import { memoryMessagingSide } from '../src/memory-sides.ts'
import { harnessOf, startPair, stopPair, telling } from '../src/pair.ts'

const { cassandra } = inject('servers')
const pair = { storage: cassandraSide(cassandra), messaging: memoryMessagingSide }

beforeAll(() => startPair(pair))
afterAll(() => stopPair(pair))

describeContract(telling(taskManagerContract(harnessOf(pair))))
