import { eventBusContract, eventStoreContract, nodeRegistryContract, taskListingContract, workQueueContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import {
  countedListingHarness,
  eventBusHarness,
  eventStoreHarness,
  nodeRegistryHarness,
  taskListingHarness,
  workQueueHarness,
} from './memory.harness.ts'

describeContract(eventStoreContract(eventStoreHarness))
describeContract(taskListingContract(taskListingHarness))
describeContract(taskListingContract(countedListingHarness))
describeContract(nodeRegistryContract(nodeRegistryHarness))
describeContract(workQueueContract(workQueueHarness))
describeContract(eventBusContract(eventBusHarness))
