import { setTimeout as sleep } from 'node:timers/promises'
import { cassandraStorage } from '@taskledger/cassandra'
import type { TaskMessaging, TaskManager } from '@taskledger/core'
import { createTaskManager, defineTask, silentLogger, unchecked } from '@taskledger/core'
import { checkHistory } from '@taskledger/core/testing'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { Servers } from '@taskledger/servers'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { cassandraSide } from '../src/cassandra-side.ts'
import { startPair, stopPair } from '../src/pair.ts'
import { proxied } from '../src/proxied.ts'
import { rabbitmqSide } from '../src/rabbitmq-side.ts'

const servers = inject('servers')
const storage = cassandraSide(servers.cassandra)
const pair = { storage, messaging: rabbitmqSide(servers.amqp) }

beforeAll(() => startPair(pair))
afterAll(() => stopPair(pair))

/** Counts what runs: of each task, and of a serial queue. */
class Runs {
  readonly attempts = new Map<string, number[]>()
  readonly twice: string[] = []
  mostSerial = 0
  #serial = 0
  readonly #running = new Set<string>()

  async count(taskId: string, attempt: number, isSerial: boolean, run: () => Promise<void>): Promise<void> {
    if (this.#running.has(taskId)) this.twice.push(taskId)
    this.#running.add(taskId)
    this.attempts.set(taskId, [...(this.attempts.get(taskId) ?? []), attempt])
    if (isSerial) this.mostSerial = Math.max(this.mostSerial, ++this.#serial)
    try {
      await run()
    } finally {
      if (isSerial) this.#serial--
      this.#running.delete(taskId)
    }
  }
}

test('a node that loses its connections again and again, among three: every task ends, none is run twice at a time', async () => {
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
      worker: { queues: { default: { slots: 5 }, one: { slots: 1, mode: 'serial' } } },
    })
  const nodes = await Promise.all([
    nodeOn(through.servers.cassandra, rabbitmqMessaging({ url: through.servers.amqp.url, prefix, logger: silentLogger })),
    nodeOn(servers.cassandra, noted.client()),
    nodeOn(servers.cassandra, noted.client()),
  ])
  const [cutOff, steady] = nodes
  try {
    const durations = (count: number, most: number): readonly number[] => Array.from({ length: count }, (_, index) => (index * 37) % most)
    const submitting = Promise.all([steady.submitMany(parallel, durations(160, 400)), steady.submitMany(serial, durations(40, 120))])
    // The one that will be cut off has to have something to lose.
    await vi.waitUntil(() => (cutOff.worker?.running.length ?? 0) > 0, { timeout: 30_000 })
    for (let cuts = 0; cuts < 6; cuts++) {
      await sleep(250)
      await through.cut()
    }
    const heal = await through.refuse()
    await sleep(1_500)
    await heal()
    const handles = (await submitting).flat()
    const ended = await Promise.all(handles.map((handle) => handle.finished({ timeoutMs: 60_000 })))

    expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(['completed']))
    expect(runs.twice).toEqual([])
    expect(runs.mostSerial).toBe(1)
    const ranOn = new Set<string>()
    for (const handle of handles) {
      const history = await handle.history()
      expect(checkHistory(history)).toEqual([])
      for (const event of history) if (event.type === 'TaskStarted') ranOn.add(event.node)
      // Whatever was delivered how often: each claim is one run, and there is no run without a claim.
      const claims = history.flatMap((event) => (event.type === 'TaskStarted' ? [event.attempt] : []))
      expect(runs.attempts.get(handle.id)).toEqual(claims)
    }
    expect(ranOn).toEqual(new Set(nodes.map(({ nodeId }) => nodeId)))
  } finally {
    await Promise.all(nodes.map((node) => node.close({ drainMs: 0 })))
    await noted.dispose()
  }
})
