import { eventStoreContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { fileEventStoreHarness } from './file-event-store.harness.ts'

describeContract(eventStoreContract(fileEventStoreHarness))
