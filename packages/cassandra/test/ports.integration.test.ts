import { eventStoreContract, nodeRegistryContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { afterAll, beforeAll, inject } from 'vitest'
import type { TestKeyspace } from './cassandra.harness.ts'
import { eventStoreHarness, nodeRegistryHarness, openKeyspace } from './cassandra.harness.ts'

let keyspace: TestKeyspace

beforeAll(async () => {
  keyspace = await openKeyspace(inject('servers').cassandra)
})
afterAll(async () => {
  await keyspace[Symbol.asyncDispose]()
})

describeContract(eventStoreContract(eventStoreHarness(() => keyspace)))
describeContract(nodeRegistryContract(nodeRegistryHarness(() => keyspace)))
