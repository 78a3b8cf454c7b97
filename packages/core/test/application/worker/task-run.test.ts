import type { TaskId, TaskProgress } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import { virtualClock } from '@taskledger/core/testing'
import { describe, expect, it } from 'vitest'
import { noTask } from '../../../src/application/commands/aggregate.ts'
import { TaskRun } from '../../../src/application/worker/task-run.ts'

const runOf = (clock: ReturnType<typeof virtualClock>, onProgress: (progress: TaskProgress) => void = () => {}): TaskRun =>
  new TaskRun(
    {
      taskId: '018cc251-f400-7000-8000-000000000001' as TaskId,
      type: 'sample',
      attempt: 1,
      fence: 1,
      labels: [],
      timeoutMs: 60_000,
      graceMs: 30_000,
      lastProgress: undefined,
      finishesWithoutLease: false,
      logger: silentLogger,
      clock,
      onProgress,
    },
    noTask,
  )

describe('a run', () => {
  it('leaves no timer behind, not even when it is stopped after its end', async () => {
    const clock = virtualClock()
    const run = runOf(clock)
    expect(await run.run({ run: async () => 'done' })).toEqual({ type: 'returned', value: 'done' })
    expect(clock.pendingTimers).toBe(0)
    run.abort('CANCEL_REQUESTED', 'too late')
    expect(clock.pendingTimers).toBe(0)
  })

  it('does not begin a body that is already stopped', async () => {
    const clock = virtualClock()
    const run = runOf(clock)
    run.abort('SHUTTING_DOWN', 'the node shuts down')
    const ending = await run.run({ run: () => Promise.reject(new Error('it began')) })
    expect(ending).toEqual({ type: 'threw', thrown: run.aborted })
    expect(clock.pendingTimers).toBe(0)
  })

  it('ignores a body that continues after its end', async () => {
    const heard: unknown[] = []
    const run = runOf(virtualClock(), ({ value }) => heard.push(value))
    let report: (value: unknown) => void = () => {}
    await run.run({
      run: async ({ progress }) => {
        report = progress
        progress('on time')
      },
    })
    report('too late')
    expect(heard).toEqual(['on time'])
    expect(run.progress?.value).toBe('on time')
  })

  it('keeps the first reason to stop', async () => {
    const run = runOf(virtualClock())
    run.abort('TIMED_OUT', 'first')
    run.abort('CANCEL_REQUESTED', 'second')
    expect(run.aborted).toMatchObject({ code: 'TIMED_OUT', message: 'first' })
  })
})
