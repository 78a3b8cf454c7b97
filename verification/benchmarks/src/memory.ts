import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createTaskManager, defineTask } from '@taskledger/core'
import type { Figure } from './figures.ts'

const noop = defineTask({ type: 'noop', run: () => {} })
const payloads = Array.from({ length: 10_000 }, () => undefined)

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const heapMiB = (): number => {
  collectGarbage()
  return process.memoryUsage().heapUsed / 2 ** 20
}

const timers = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length

/** The heap that 10,000 tasks take in memory while they wait and once they have ended, and the timers that they leave behind. */
export const memory = async (): Promise<readonly Figure[]> => {
  const manager = await createTaskManager({ tasks: [noop], worker: false })
  try {
    const empty = heapMiB()
    const waiting = await manager.submitMany(noop, payloads)
    const full = heapMiB()
    const timersWaiting = timers()
    await manager.attachWorker({ slots: 20 })
    for (const task of waiting) await task.result()
    await manager.worker?.close()
    const finished = heapMiB()
    return [
      { name: '10,000 waiting tasks', value: full - empty, unit: 'MiB of heap' },
      { name: '10,000 finished tasks', value: finished - empty, unit: 'MiB of heap' },
      { name: 'timers with 10,000 waiting tasks', value: timersWaiting, unit: 'timers' },
      { name: 'timers after 10,000 finished tasks', value: timers(), unit: 'timers' },
    ]
  } finally {
    await manager.close()
  }
}
