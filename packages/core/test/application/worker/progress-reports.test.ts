import { defineTask, silentLogger } from '@taskledger/core'
import type { TestManager } from '@taskledger/core/testing'
import { testManager, virtualClock } from '@taskledger/core/testing'
import { createMemory } from '@taskledger/memory'
import { interceptedStorage, onCalls } from '@taskledger/test-kit/faults'
import { describe, expect, it } from 'vitest'

const hour = 3_600_000

/** A task whose body exposes its `progress`, and ends when it is cancelled, or, if it is deaf, never. */
const reportingTask = (isDeaf: boolean) => {
  const outside: { report: (value: unknown) => void } = { report: () => {} }
  const task = defineTask({
    type: 'reporting',
    run: ({ progress, signal }) => {
      outside.report = progress
      return new Promise((_resolve, reject) => {
        if (!isDeaf) signal.addEventListener('abort', () => reject(signal.reason as Error))
      })
    },
  })
  return { task, outside }
}

/** The lowest number of timers within some minutes: current and recent calls have timers of their own. */
const timersAtRest = async ({ advance, clock }: TestManager): Promise<number> => {
  await advance(hour)
  let fewest = Infinity
  for (let passedMs = 0; passedMs < 300_000; passedMs += 500) {
    await advance(500)
    fewest = Math.min(fewest, clock.pendingTimers)
  }
  return fewest
}

describe('reports of progress', () => {
  it('are saved at once, then at most once in each interval, the latest report each time', async () => {
    const clock = virtualClock()
    const memory = createMemory({ clock })
    const saved: unknown[] = []
    const intercept = onCalls({
      'listing.saveProgress'(next, taskId, progress, options) {
        saved.push(progress.value)
        return next(taskId, progress, options)
      },
    })
    const { task, outside } = reportingTask(false)
    const adapters = { storage: interceptedStorage(memory.storage(), intercept), messaging: memory.messaging() }
    await using test = await testManager({ tasks: [task], clock, ...adapters, worker: { progressIntervalMs: 500 } })
    const handle = await test.manager.submit(task)
    await test.advance(0)
    for (let done = 1; done <= 9; done++) {
      outside.report(done)
      await test.advance(100)
    }
    expect(saved).toEqual([1, 5])
    await test.advance(hour)
    expect(saved).toEqual([1, 5, 9])
    await handle.cancel()
    await test.advance(hour)
    expect(saved).toEqual([1, 5, 9])
    expect((await handle.details()).progress).toMatchObject({ value: 9, sequence: 9 })
  })

  it('of an abandoned body change nothing, and leave no timer behind', async () => {
    const { task, outside } = reportingTask(true)
    await using test = await testManager({ tasks: [task], worker: { cancelGraceMs: 10 } })
    const before = await timersAtRest(test)
    const handle = await test.manager.submit(task)
    await test.advance(0)
    outside.report('in time')
    await handle.cancel()
    await test.advance(10)
    const details = await handle.details()
    expect(details).toMatchObject({ status: 'cancelled', abandoned: true, progress: { value: 'in time' } })
    outside.report('too late')
    expect(await timersAtRest(test)).toBe(before)
    expect(await handle.details()).toEqual(details)
  })

  it('are announced with the status that the task has', async () => {
    const { task, outside } = reportingTask(true)
    await using test = await testManager({ tasks: [task], logger: silentLogger, worker: { cancelGraceMs: 10_000 } })
    const statuses: string[] = []
    test.manager.subscribe(({ type, status }) => type === 'TaskProgress' && statuses.push(status))
    const handle = await test.manager.submit(task)
    await test.advance(0)
    outside.report(1)
    await test.advance(1_000)
    await handle.cancel()
    await test.advance(0)
    outside.report(2)
    await test.advance(1_000)
    expect(statuses).toEqual(['inProgress', 'cancelRequested'])
  })
})
