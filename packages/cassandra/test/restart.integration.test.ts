import type { CassandraEndpoint, EngineProcess } from '@taskledger/servers'
import { startCassandra } from '@taskledger/servers'
import { eventStoreContract } from '@taskledger/test-kit'
import { describeContract } from '@taskledger/test-kit/vitest'
import { afterAll, beforeAll } from 'vitest'
import type { TestKeyspace } from './cassandra.harness.ts'
import { eventStoreHarness, openKeyspace } from './cassandra.harness.ts'

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

const contract = eventStoreContract({ ...eventStoreHarness(() => keyspace, restart), timing: { deadlineMs: 60_000 } })
describeContract({ ...contract, rules: contract.rules.filter(({ id }) => id === 'ES-3.5') })
