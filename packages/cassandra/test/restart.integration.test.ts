import type { CassandraEndpoint, EngineProcess } from '@taskledger/servers'
import { startCassandra } from '@taskledger/servers'
import { eventStoreContract, taskListingContract } from '@taskledger/test-kit'
import type { Contract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { afterAll, beforeAll, describe } from 'vitest'
import { listingOn } from './listing-samples.ts'
import type { TestKeyspace } from './cassandra.harness.ts'
import { cassandraHarness, eventStoreHarness, openKeyspace } from './cassandra.harness.ts'

// A server of its own: the others of the run must not feel this.
let server: EngineProcess<CassandraEndpoint>
let keyspace: TestKeyspace

beforeAll(async () => {
  server = await startCassandra({ name: 'restart', say: () => {} })
  keyspace = await openKeyspace(server.endpoint)
})
afterAll(async () => {
  await server.stop()
})

/** Killed, not asked: what was acknowledged has to be on disk. */
const restart = async (): Promise<void> => {
  await server.kill()
  await server.start()
}

const timing = { deadlineMs: 60_000 }

/** The rules of a contract that need a restart, under way alone: one restart is none of the others' business. */
const only = <Port>(contract: Contract<Port>, rule: string): Contract<Port> => ({
  ...contract,
  rules: contract.rules.filter(({ id }) => id === rule),
})

describe('what was acknowledged', { concurrent: false }, () => {
  describeContract(only(eventStoreContract({ ...eventStoreHarness(() => keyspace, restart), timing }), 'ES-3.5'))
  const listingHarness = cassandraHarness(() => keyspace, listingOn, undefined, restart)
  describeContract(only(taskListingContract({ ...listingHarness, timing }), 'TL-1.4'))
})
