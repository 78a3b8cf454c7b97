import process from 'node:process'
import type { Program } from '../bench.ts'
import { heapMiB } from '../measure/heap.ts'
import { openManager } from '../nodes/open-manager.ts'
import { freshPrefix } from '../nodes/prefix.ts'
import { tasksOf } from '../nodes/tasks.ts'
import type { Figure } from '../report/figures.ts'

const timers = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length

/** The heap that waiting and finished tasks take in memory, and the timers that they leave behind. */
export const heap: Program = {
  about: 'the heap of 10,000 tasks while they wait and once they have finished, and their timers',
  on: ['memory'],
  async run({ platform, scale }): Promise<readonly Figure[]> {
    const { noop } = tasksOf(() => {})
    const manager = await openManager({ target: platform.target, prefix: freshPrefix(), name: 'node', slots: 0 })
    try {
      const payloads = Array.from({ length: Math.ceil(10_000 * scale) }, () => undefined)
      const count = payloads.length.toLocaleString('en')
      const empty = heapMiB()
      const waiting = await manager.submitMany(noop, payloads)
      const full = heapMiB()
      const timersWaiting = timers()
      await manager.attachWorker({ slots: 20 })
      for (const task of waiting) await task.result()
      await manager.worker?.close()
      const finished = heapMiB()
      return [
        { name: `${count} waiting tasks`, value: full - empty, unit: 'MiB of heap' },
        { name: `${count} finished tasks`, value: finished - empty, unit: 'MiB of heap' },
        { name: `timers with ${count} waiting tasks`, value: timersWaiting, unit: 'timers' },
        { name: `timers after ${count} finished tasks`, value: timers(), unit: 'timers' },
      ]
    } finally {
      await manager.close()
    }
  },
}
