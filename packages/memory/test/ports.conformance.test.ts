import { eventStoreContract, nodeRegistryContract, taskListingContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { eventStoreHarness, nodeRegistryHarness, taskListingHarness } from './memory.harness.ts'

describeContract(eventStoreContract(eventStoreHarness))
describeContract(taskListingContract(taskListingHarness))
describeContract(nodeRegistryContract(nodeRegistryHarness))
