import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskId } from '@taskledger/core'
import type { Program } from '../bench.ts'
import { timeOf } from '../measure/pace.ts'
import { endAll } from '../nodes/child.ts'
import { openMessaging } from '../nodes/open-manager.ts'
import { freshPrefix } from '../nodes/prefix.ts'
import type { Node } from '../platforms/platform.ts'
import type { Figure } from '../report/figures.ts'

/** How long a worker is idle before it is measured, in milliseconds: all its deliveries have arrived by then. */
const settleMs = 2_000

/** The memory of a worker whose slots are taken, with an empty queue and with a full one. */
export const waiting: Program = {
  about: 'the memory of a worker while 100,000 tasks wait in its queue',
  on: ['servers'],
  async run({ platform, scale }): Promise<readonly Figure[]> {
    const prefix = freshPrefix()
    const slots = 4
    const [worker] = (await platform.startNodes({ prefix, nodes: { worker: slots } })) as readonly [Node]
    const messaging = await openMessaging(platform.target, prefix)
    try {
      let running = 0
      const busy = new Promise<void>((resolve) => worker.hear(({ type }) => type === 'running' && ++running === slots && resolve()))
      for (let slot = 0; slot < slots; slot++) await worker.call('submit', 'hang')
      await busy
      // Delayed acknowledgements have been sent by then.
      await sleep(settleMs + 2_000)
      const empty = await worker.call('memory')
      const count = Math.ceil(100_000 * scale)
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
