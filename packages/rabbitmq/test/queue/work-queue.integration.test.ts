import { workQueueContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { inject } from 'vitest'
import { harnessFor } from '../harness.ts'

describeContract(workQueueContract(harnessFor('queue', inject('servers').amqp)))
