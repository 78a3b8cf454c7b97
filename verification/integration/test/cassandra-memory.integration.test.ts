import { taskManagerContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { afterAll, beforeAll, inject, vi } from 'vitest'
import { cassandraSide } from '../src/cassandra-side.ts'
import { memoryMessagingSide } from '../src/memory-sides.ts'
import { harnessOf, startPair, stopPair, telling } from '../src/pair.ts'

// Each of these is a cluster of its own, some of them with storms: more at once only wait for one another.
vi.setConfig({ maxConcurrency: 6 })

const { cassandra } = inject('servers')
const pair = { storage: cassandraSide(cassandra), messaging: memoryMessagingSide }

beforeAll(() => startPair(pair))
afterAll(() => stopPair(pair))

describeContract(telling(taskManagerContract(harnessOf(pair))))
