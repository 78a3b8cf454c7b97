import { cassandraStorage } from '@taskledger/cassandra'
import type { NodeHealth, TaskManager } from '@taskledger/core'
import { createTaskManager, silentLogger } from '@taskledger/core'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { cassandraSide } from '../src/engines/cassandra.ts'
import { rabbitmqSide } from '../src/engines/rabbitmq.ts'
import { startPair, stopPair } from '../src/pair.ts'

const servers = inject('servers')
const storage = cassandraSide(servers.cassandra)
const pair = { storage, messaging: rabbitmqSide(servers.amqp) }

beforeAll(() => startPair(pair))
afterAll(() => stopPair(pair))

test('nodes with another prefix of one engine are told apart by both sides, and nodes that share both are not', async () => {
  const { version: _version, ...cassandra } = servers.cassandra
  const brokers = { right: pair.messaging.open('apart-right'), wrong: pair.messaging.open('apart-wrong') }
  const nodeOn = async (name: string, prefix: string, messaging: keyof typeof brokers): Promise<TaskManager> =>
    createTaskManager({
      name,
      tasks: [],
      worker: false,
      storage: await cassandraStorage({ ...cassandra, keyspace: storage.keyspace, prefix, logger: silentLogger }),
      messaging: await brokers[messaging].client(),
      logger: silentLogger,
      lease: { renewMs: 500, ttlMs: 15_000 },
    })
  const nodes = await Promise.all([
    nodeOn('a', 'right', 'right'),
    nodeOn('b', 'right', 'right'),
    nodeOn('c', 'right', 'right'),
    nodeOn('broker', 'right', 'wrong'),
    nodeOn('database', 'wrong', 'right'),
  ])
  const [a, b, c, otherBroker, otherDatabase] = nodes
  const told = ({ apart }: NodeHealth): readonly string[] => apart.map(({ nodeId, lacks }) => `${nodeId.split('-')[0]} ${lacks}`).sort()
  try {
    const wrong = ['broker messaging', 'database storage']
    await vi.waitUntil(
      () =>
        [a, b, c].every((node) => told(node.health()).length === wrong.length) &&
        told(otherBroker.health()).length === 3 &&
        told(otherDatabase.health()).length === 3,
      { timeout: 30_000 },
    )
    for (const node of [a, b, c]) {
      expect(told(node.health())).toEqual(wrong)
      expect(node.health().peers.ok).toBe(true)
    }
    expect(told(otherBroker.health())).toEqual(['a messaging', 'b messaging', 'c messaging'])
    expect(told(otherDatabase.health())).toEqual(['a storage', 'b storage', 'c storage'])
    for (const node of [otherBroker, otherDatabase]) expect(node.health().ok).toBe(false)
    const { findings } = await a.doctor()
    expect(findings.map(({ kind, reason }) => `${kind} ${reason}`)).toEqual(['apart otherMessaging', 'apart otherStorage'])
  } finally {
    await Promise.all(nodes.map((node) => node.close()))
    for (const broker of Object.values(brokers)) await broker.dispose?.()
  }
})
