import { createTaskManager } from '../application/create-task-manager.ts'
import type { TaskManagerOptions } from '../application/options.ts'
import type { TaskManager } from '../application/task-manager.ts'
import { TaskledgerError } from '../ports/errors.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { virtualClock } from './virtual-clock.ts'

/** How a manager on virtual time is made. */
export interface TestManagerOptions extends Omit<TaskManagerOptions, 'clock'> {
  /** Default: one that begins in 2024. */
  readonly clock?: VirtualClock | undefined
}

/** A whole manager whose time passes only when a test says so. */
export interface TestManager extends AsyncDisposable {
  readonly manager: TaskManager
  readonly clock: VirtualClock
  /** Lets time pass, in milliseconds: back-offs, time-outs and `notBefore` fall due. Resolves when everything has come to rest. */
  advance(ms: number): Promise<void>
  /**
   * Lets time pass until every task is final: at most `withinMs` milliseconds, default an hour.
   *
   * @throws `NOT_SETTLED`, which names the tasks that are not.
   */
  settled(withinMs?: number): Promise<void>
}

/** How much time passes between two looks at what is unfinished, in milliseconds. */
const stepMs = 1_000

/** Makes a manager, in memory and with a worker where nothing else is said, on virtual time. */
export const testManager = async ({ clock = virtualClock(), ...options }: TestManagerOptions): Promise<TestManager> => {
  const manager = await createTaskManager({ ...options, clock })
  const unfinished = async (): Promise<readonly string[]> => {
    const { tasks } = await manager.list({ status: ['waiting', 'inProgress', 'cancelRequested'], limit: 10 })
    return tasks.map(({ taskId, type, status }) => `${type} ${taskId} is ${status}`)
  }
  return {
    manager,
    clock,
    advance: (ms) => clock.advance(ms),
    async settled(withinMs = 3_600_000) {
      await clock.advance(0)
      for (let passed = 0; (await unfinished()).length > 0; passed += stepMs) {
        if (passed >= withinMs)
          throw new TaskledgerError('NOT_SETTLED', `after ${withinMs} ms of virtual time: ${(await unfinished()).join('; ')}`)
        await clock.advance(stepMs)
      }
    },
    async [Symbol.asyncDispose]() {
      const closed = manager.close({ drainMs: 0 })
      // A body that waits for a timer ends only when time passes.
      await clock.advance(60_000)
      await closed
    },
  }
}
