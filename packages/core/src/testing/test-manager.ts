import type { TaskId } from '../domain/task-id.ts'
import { createTaskManager } from '../application/create-task-manager.ts'
import type { TaskManagerOptions } from '../application/options.ts'
import type { TaskManager } from '../application/task-manager.ts'
import { checkMs, hasMethods, wrongOption } from '../ports/shared/checks.ts'
import { TaskledgerError } from '../ports/shared/errors.ts'
import { sharedClock } from './shared-clock.ts'
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
   * While a body waits on something else than the clock, for example on a file, time stands still for 100 real milliseconds.
   *
   * @throws `NOT_SETTLED`, with the tasks that are not final, or that timed out although their bodies did not wait on the clock.
   */
  settled(withinMs?: number): Promise<void>
}

/** How much time passes between two checks for unfinished tasks, in milliseconds. */
const stepMs = 1_000

/** How often a settlement waits for a real millisecond while a body waits on something else than the clock. */
const maxRealWaits = 100

// Read early: a test runner may replace it by a fake timer.
const { setTimeout: afterRealMs } = globalThis

/** Makes a manager on virtual time. Default: in memory, with a worker. */
export const testManager = async (options: TestManagerOptions): Promise<TestManager> => {
  // createTaskManager checks the other options, and what has none.
  const { clock = virtualClock() } = (options as TestManagerOptions | null | undefined) ?? {}
  if (!hasMethods(clock, ['advance'])) throw wrongOption('clock', clock, 'what virtualClock returns')
  const shared = sharedClock(clock)
  const manager = await createTaskManager({ ...options, clock: shared })
  const unfinished = async (): Promise<readonly string[]> => {
    const { tasks } = await manager.list({ status: ['waiting', 'inProgress', 'cancelRequested'], limit: 10 })
    return tasks.map(({ taskId, type, status }) => `${type} ${taskId} is ${status}`)
  }
  /** The running tasks, if not every body waits on the clock. Which of them do is not known. */
  const waitingElsewhere = (): readonly TaskId[] => {
    const running = manager.worker?.running ?? []
    return running.length > shared.othersPending ? running : []
  }
  const timedOut = async (taskIds: Iterable<TaskId>): Promise<readonly string[]> => {
    const found: string[] = []
    for (const taskId of taskIds) {
      // A retention may have removed the task meanwhile.
      const events = await manager.history(taskId).catch(() => [])
      if (events.some((event) => event.type === 'TaskFailed' && event.error.code === 'TIMED_OUT')) found.push(taskId)
    }
    return found
  }
  return {
    manager,
    clock,
    advance: (ms) => clock.advance(ms),
    async settled(withinMs = 3_600_000) {
      checkMs('the time to settle within', withinMs)
      const elsewhere = new Set<TaskId>()
      let realWaits = 0
      await clock.advance(0)
      for (let passed = 0; (await unfinished()).length > 0; passed += stepMs) {
        if (passed >= withinMs)
          throw notSettled(
            `tasks are unfinished after ${withinMs} ms of virtual time: ${(await unfinished()).join('; ')}. ` +
              'Find out what they wait for (a body has to wait on the virtual clock), or give settled(withinMs) a longer time',
          )
        for (; waitingElsewhere().length > 0 && realWaits < maxRealWaits; realWaits++) {
          await new Promise((resolve) => void afterRealMs(resolve, 1))
          await clock.advance(0)
        }
        for (const taskId of waitingElsewhere()) elsewhere.add(taskId)
        await clock.advance(stepMs)
      }
      const late = await timedOut(elsewhere)
      if (late.length > 0)
        throw notSettled(
          `tasks timed out by virtual time, while a body waited on something else than the virtual clock: ${late.join('; ')}. ` +
            'Let bodies wait on the clock of the test, or test the timeout with advance()',
        )
    },
    async [Symbol.asyncDispose]() {
      const closed = manager.close({ drainMs: 0 })
      // A body that waits for a timer ends only when time passes.
      await clock.advance(60_000)
      await closed
    },
  }
}

const notSettled = (message: string): TaskledgerError<'NOT_SETTLED'> => new TaskledgerError('NOT_SETTLED', message)
