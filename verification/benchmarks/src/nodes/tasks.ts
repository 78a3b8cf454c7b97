import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask } from '@taskledger/core'
import { machineMs } from './child.ts'

/** A message of a node: a body runs, was aborted, or has ended. */
export interface Told {
  readonly type: 'running' | 'aborted' | 'ended'
  readonly taskId: string
  /** On the clock of {@link machineMs}. */
  readonly at: number
}

export type Tell = (told: Told) => void

export const tasksOf = (tell: Tell) => ({
  noop: defineTask({ type: 'noop', run: () => {} }),
  /** Runs until it is aborted. */
  hang: defineTask({
    type: 'hang',
    async run({ signal, taskId }) {
      tell({ type: 'running', taskId, at: machineMs() })
      await new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          tell({ type: 'aborted', taskId, at: machineMs() })
          reject(signal.reason as Error)
        })
      })
    },
  }),
  /** Short, but long enough that some are always running. */
  brief: defineTask({
    type: 'brief',
    async run({ signal, taskId }) {
      await sleep(20, undefined, { signal })
      tell({ type: 'ended', taskId, at: machineMs() })
    },
  }),
})
