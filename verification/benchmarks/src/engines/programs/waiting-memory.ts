import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskId } from '@taskledger/core'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { EngineFigure, NodeChild, Program } from '../bench.ts'
import { endAll, freshPrefix, startNodes } from '../bench.ts'
import { timeOf } from '../pace.ts'

/** How long a worker is left alone before it is measured, in milliseconds: what it is handed it has by then. */
const settleMs = 2_000

/** A worker whose slots are taken, on an empty queue and on a full one. */
export const waitingMemory: Program = {
  about: 'the memory of a worker with 100,000 tasks waiting in its queue',
  async run(bench): Promise<readonly EngineFigure[]> {
    const prefix = freshPrefix()
    const slots = 4
    const [worker] = (await startNodes(bench, { prefix, nodes: { worker: slots } })) as readonly [NodeChild]
    const messaging = await rabbitmqMessaging({ url: bench.engines.amqp.url, prefix })
    try {
      let running = 0
      const busy = new Promise<void>((resolve) => worker.hear(({ type }) => type === 'running' && ++running === slots && resolve()))
      for (let slot = 0; slot < slots; slot++) await worker.call('submit', 'hang')
      await busy
      // Until the acknowledgements that are held back have gone.
      await sleep(settleMs + 2_000)
      const empty = await worker.call('memory')
      const count = Math.ceil(100_000 * bench.scale)
      const ms = await timeOf(count, 500, () =>
        messaging.queue.send('default', { taskId: randomUUID() as TaskId, version: 1, sentAt: Date.now() }),
      )
      await sleep(settleMs)
      const full = await worker.call('memory')
      return [
        {
          name: `heap of a worker, ${count.toLocaleString('en')} waiting`,
          value: full.heapMiB,
          unit: 'MiB',
          floor: empty.heapMiB,
          detail: `floor: an empty queue; resident ${empty.residentMiB.toFixed(0)} → ${full.residentMiB.toFixed(0)} MiB; sent at ${((count / ms) * 1_000).toFixed(0)}/s`,
          aim: 'flat',
        },
      ]
    } finally {
      await messaging.close()
      await endAll([worker])
    }
  },
}
