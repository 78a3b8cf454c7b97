import { performance } from 'node:perf_hooks'
import { defineTask } from '@taskledger/core'
import { openCluster } from './cluster.ts'
import type { Figure } from './figures.ts'

const submitters = 64
const noop = defineTask({ type: 'noop', run: () => {} })

/** Calls `one` `count` times, 64 at a time; gives calls per second. */
const perSecond = async (count: number, one: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now()
  let left = count
  const submitter = async (): Promise<void> => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: submitters }, submitter))
  return (count / (performance.now() - startedAt)) * 1_000
}

/**
 * What the same tasks cost without the framework: for each, the Map operations of its life (three appends, three rows, one
 * message) and a promise for each step that the framework awaits.
 */
const floor = (count: number): Promise<number> => {
  const histories = new Map<string, object[]>()
  const rows = new Map<string, object>()
  let next = 0
  const step = async (id: string, type: string): Promise<void> => {
    await Promise.resolve()
    const history = histories.get(id) ?? []
    history.push({ id, type, version: history.length + 1 })
    histories.set(id, history)
    await Promise.resolve()
    rows.set(id, { id, status: type })
  }
  return perSecond(count, async () => {
    const id = `task-${next++}`
    await step(id, 'created')
    await Promise.resolve()
    await step(id, 'started')
    await step(id, 'completed')
    return histories.get(id)
  })
}

/** No-op tasks from submit to awaited result, 64 submitters, 2 workers × 10 slots: the best of three bursts after a warm-up. */
export const throughput = async (count: number): Promise<readonly Figure[]> => {
  const cluster = await openCluster([noop], 10)
  try {
    const one = async (): Promise<void> => (await cluster.frontEnd.submit(noop)).result()
    await perSecond(count, one)
    await floor(count)
    const bursts: number[] = []
    const floors: number[] = []
    for (let burst = 0; burst < 3; burst++) {
      bursts.push(await perSecond(count, one))
      floors.push(await floor(count))
    }
    return [{ name: 'no-op tasks, submit to result', value: Math.max(...bursts), unit: 'tasks/s', floor: Math.max(...floors) }]
  } finally {
    await cluster.close()
  }
}
