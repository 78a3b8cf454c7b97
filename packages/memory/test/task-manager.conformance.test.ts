import { taskManagerContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { taskManagerHarness } from './task-manager.harness.ts'

describeContract(taskManagerContract(taskManagerHarness))
