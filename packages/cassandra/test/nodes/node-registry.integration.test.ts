import { setTimeout as sleep } from 'node:timers/promises'
import { cassandraStorage } from '@taskledger/cassandra'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { TestKeyspace } from '../cassandra.harness.ts'
import { openKeyspace } from '../cassandra.harness.ts'

const endpoint = inject('servers').cassandra
let keyspace: TestKeyspace

beforeAll(async () => {
  keyspace = await openKeyspace(endpoint)
})
afterAll(async () => {
  await keyspace[Symbol.asyncDispose]()
})

// A node relies on its whole time to live: if it expired sooner, other nodes would run its tasks while it still does.
test.each([50, 500, 950])('a node that renews %i ms into a second does not expire early', async (intoSecondMs) => {
  const storage = await cassandraStorage(keyspace.options())
  const ttlMs = 1_000
  await sleep((intoSecondMs - (Date.now() % 1_000) + 1_000) % 1_000)
  const calledAt = performance.now()
  const node = { nodeId: 'worker', name: 'worker', startedAt: 1, renewedAt: 1, queues: {}, running: 0, delivered: {} }
  await storage.nodes.renew(node, ttlMs)
  while ((await storage.nodes.live()).length > 0) await sleep(5)
  expect(performance.now() - calledAt).toBeGreaterThanOrEqual(ttlMs)
  await storage.close()
})
