import { eventBusContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { inject } from 'vitest'
import { harnessFor } from '../harness.ts'

describeContract(eventBusContract(harnessFor('bus', inject('servers').amqp)))
