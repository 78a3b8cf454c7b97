import { setTimeout as sleep } from 'node:timers/promises'
import { cassandraStorage } from '@taskledger/cassandra'
import type { TaskMessaging, TaskManager } from '@taskledger/core'
import { createTaskManager, defineTask, silentLogger, unchecked } from '@taskledger/core'
import { checkHistory } from '@taskledger/core/testing'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { Servers } from '@taskledger/servers'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { cassandraSide } from '../src/engines/cassandra.ts'
import { startPair, stopPair } from '../src/pair.ts'
import { proxied } from '../src/proxied.ts'
import { rabbitmqSide } from '../src/engines/rabbitmq.ts'

const servers = inject('servers')
const storage = cassandraSide(servers.cassandra)
const pair = { storage, messaging: rabbitmqSide(servers.amqp) }

beforeAll(() => startPair(pair))
afterAll(() => stopPair(pair))

/** Counts the runs of each task, and those of a serial queue at a time. */
class Runs {
  readonly attempts = new Map<string, number[]>()
  readonly twice: string[] = []
  maxSerial = 0
  #serial = 0
  readonly #running = new Set<string>()

  async count(taskId: string, attempt: number, isSerial: boolean, run: () => Promise<void>): Promise<void> {
    if (this.#running.has(taskId)) this.twice.push(taskId)
    this.#running.add(taskId)
    this.attempts.set(taskId, [...(this.attempts.get(taskId) ?? []), attempt])
    if (isSerial) this.maxSerial = Math.max(this.maxSerial, ++this.#serial)
    try {
      await run()
    } finally {
      if (isSerial) this.#serial--
      this.#running.delete(taskId)
    }
  }
}

test('one of three nodes loses its connections again and again: every task completes, and none runs twice at a time', async () => {
  const runs = new Runs()
  const body = (queue: string, isSerial: boolean) =>
    defineTask({
      type: `counted-${queue}`,
      queue,
      payload: unchecked<number>(),
      run: ({ taskId, attempt, payload }) => runs.count(taskId, attempt, isSerial, () => sleep(payload)),
    })
  const [parallel, serial] = [body('default', false), body('one', true)]
  const prefix = 'cut-off'
  const noted = pair.messaging.open(prefix)
  await using through = await proxied(servers)
  const nodeOn = async (
    { version: _version, ...cassandra }: Servers['cassandra'],
    messaging: Promise<TaskMessaging>,
  ): Promise<TaskManager> =>
    createTaskManager({
      tasks: [parallel, serial],
      storage: await cassandraStorage({ ...cassandra, keyspace: storage.keyspace, prefix, logger: silentLogger }),
      messaging: await messaging,
      logger: silentLogger,
      // Each renewal also probes the engines: the node notices soon that it is cut off.
      lease: { renewMs: 500, ttlMs: 15_000 },
      worker: { queues: { default: { slots: 5 }, one: { slots: 1, mode: 'serial' } } },
    })
  const nodes = await Promise.all([
    nodeOn(through.servers.cassandra, rabbitmqMessaging({ url: through.servers.amqp.url, prefix, logger: silentLogger })),
    nodeOn(servers.cassandra, noted.client()),
    nodeOn(servers.cassandra, noted.client()),
  ])
  const [cutOff, steady] = nodes
  try {
    const durations = (count: number, maxMs: number): readonly number[] => Array.from({ length: count }, (_, index) => (index * 37) % maxMs)
    const submitting = Promise.all([steady.submitMany(parallel, durations(160, 400)), steady.submitMany(serial, durations(40, 120))])
    // The node that is cut off has to run something that it can lose.
    await vi.waitUntil(() => (cutOff.worker?.running.length ?? 0) > 0, { timeout: 30_000 })
    for (let cuts = 0; cuts < 6; cuts++) {
      await sleep(250)
      await through.cut()
    }
    const heal = await through.refuse()
    await vi.waitUntil(() => !cutOff.health().store.ok && !cutOff.health().bus.ok, { timeout: 60_000 })
    await heal()
    const handles = (await submitting).flat()
    const ended = await Promise.all(handles.map((handle) => handle.finished({ timeoutMs: 60_000 })))

    expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(['completed']))
    expect(runs.twice).toEqual([])
    expect(runs.maxSerial).toBe(1)
    const ranOn = new Set<string>()
    for (const handle of handles) {
      const history = await handle.history()
      expect(checkHistory(history)).toEqual([])
      for (const event of history) if (event.type === 'TaskStarted') ranOn.add(event.node)
      // However often a message was delivered: each claim is one run, and each run has a claim.
      const claims = history.flatMap((event) => (event.type === 'TaskStarted' ? [event.attempt] : []))
      expect(runs.attempts.get(handle.id)).toEqual(claims)
    }
    expect(ranOn).toEqual(new Set(nodes.map(({ nodeId }) => nodeId)))
  } finally {
    await Promise.all(nodes.map((node) => node.close({ drainMs: 0 })))
    await noted.dispose()
  }
})
