import type { DeclareOptions, OnLeaseLost, TaskDefinition, TaskId } from '@taskledger/core'
import { defineTask, unchecked } from '@taskledger/core'

/** One run of a body that waits until the test says how it ends. */
export interface HeldRun {
  readonly taskId: TaskId
  readonly attempt: number
  /** The node of a cluster that runs it, by its name. */
  readonly node: string | undefined
  readonly payload: unknown
  readonly labels: readonly string[]
  readonly signal: AbortSignal
  readonly lastProgress: unknown
  /** How the run ended; nothing while it lasts. */
  readonly ended: 'returned' | 'threw' | 'aborted' | undefined
  /** Reports progress. */
  progress(value: unknown): void
  /** Ends the run with a result. */
  return(value?: unknown): void
  /** Ends the run with a failure. */
  throw(error: Error): void
}

/** A task whose runs are held. */
export interface HeldTask {
  readonly task: TaskDefinition
  /** The runs, in the order in which they began. */
  readonly runs: readonly HeldRun[]
  /** The task for a node of that name: each of its runs has the name. */
  on(node: string): TaskDefinition
  /** The latest run of that task. */
  find(taskId: TaskId, attempt?: number): HeldRun | undefined
  /** Ends every run, and the runs that begin from now on. */
  end(): void
}

/** How to declare a held task. */
export interface HeldOptions extends Omit<DeclareOptions, 'type' | 'payload' | 'result' | 'progress' | 'upcast'> {
  /** Default `held`. */
  readonly type?: string
  /** What happens to a run when its node loses its lease. Default `abort`. */
  readonly onLeaseLost?: OnLeaseLost
  /** Whether a run ends by itself when its signal is aborted. Default true. */
  readonly heeds?: boolean
}

/** Makes a task whose runs are held. `onRun` is called when a run begins. */
export const heldTask = (
  { type = 'held', heeds = true, ...options }: HeldOptions = {},
  onRun: (run: HeldRun) => void = () => {},
): HeldTask => {
  const runs: HeldRun[] = []
  let isOver = false
  const on = (node: string | undefined): TaskDefinition =>
    defineTask({
      type,
      ...options,
      payload: unchecked<unknown>(),
      run: ({ taskId, attempt, payload, labels, signal, lastProgress, progress }) =>
        new Promise<unknown>((resolve, reject) => {
          let ended: HeldRun['ended']
          const end = (how: 'returned' | 'threw' | 'aborted', settle: () => void): void => {
            ended ??= how
            settle()
          }
          const run: HeldRun = {
            taskId,
            attempt,
            node,
            payload,
            labels,
            signal,
            lastProgress,
            progress,
            get ended() {
              return ended
            },
            return: (value) => end('returned', () => resolve(value)),
            throw: (error) => end('threw', () => reject(error)),
          }
          runs.push(run)
          onRun(run)
          if (isOver) resolve(undefined)
          if (!heeds) return
          const abort = (): void => end('aborted', () => reject(signal.reason as Error))
          if (signal.aborted) abort()
          else signal.addEventListener('abort', abort, { once: true })
        }),
    })
  return {
    task: on(undefined),
    runs,
    on,
    find: (taskId, attempt) => runs.findLast((run) => run.taskId === taskId && (attempt === undefined || run.attempt === attempt)),
    end() {
      isOver = true
      for (const run of runs) if (run.ended === undefined) run.return()
    },
  }
}
