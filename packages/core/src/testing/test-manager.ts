import { createTaskManager } from '../application/create-task-manager.ts'
import type { TaskManagerOptions } from '../application/options.ts'
import type { TaskManager } from '../application/task-manager.ts'
import { hasMethods, wrongOption } from '../ports/shared/checks.ts'
import { TaskledgerError } from '../ports/shared/errors.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { virtualClock } from './virtual-clock.ts'

/** The options of a manager on virtual time. */
export interface TestManagerOptions extends Omit<TaskManagerOptions, 'clock'> {
  /** The clock. Default: a clock that begins in 2024. */
  readonly clock?: VirtualClock | undefined
}

/**
 * A manager whose time passes only when a test advances it. While time passes, real timers and real I/O hardly do: a body has to wait on the
 * `clock`.
 */
export interface TestManager extends AsyncDisposable {
  readonly manager: TaskManager
  readonly clock: VirtualClock
  /** Lets time pass, in milliseconds: backoffs, timeouts and delayed starts become due. Resolves when all callbacks have run. */
  advance(ms: number): Promise<void>
  /**
   * Lets time pass until every task is final, at most `withinMs` milliseconds. Default: an hour. It does not tell how the tasks ended.
   *
   * @throws `NOT_SETTLED`, with the tasks that are not final.
   */
  settled(withinMs?: number): Promise<void>
}

/** How much time passes between two checks for unfinished tasks, in milliseconds. */
const stepMs = 1_000

/** Makes a manager on virtual time. Default: in memory, with a worker. */
export const testManager = async (options: TestManagerOptions): Promise<TestManager> => {
  // createTaskManager checks the other options.
  const { clock = virtualClock() } = options
  if (!hasMethods(clock, ['advance'])) throw wrongOption('clock', clock, 'what virtualClock returns')
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
          throw new TaskledgerError(
            'NOT_SETTLED',
            `tasks are unfinished after ${withinMs} ms of virtual time: ${(await unfinished()).join('; ')}. ` +
              'Find out what they wait for (a body has to wait on the virtual clock), or give settled(withinMs) a longer time',
          )
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
