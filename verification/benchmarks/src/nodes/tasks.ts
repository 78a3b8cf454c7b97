import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask } from '@taskledger/core'
import { machineMs } from './child.ts'

/** A message of a node: a body runs, was aborted, or has ended. */
export interface Report {
  readonly type: 'running' | 'aborted' | 'ended'
  readonly taskId: string
  /** On the clock of {@link machineMs}. */
  readonly at: number
}

export type SendReport = (report: Report) => void

export const tasksOf = (send: SendReport) => ({
  noop: defineTask({ type: 'noop', run: () => {} }),
  /** Runs until it is aborted. */
  hang: defineTask({
    type: 'hang',
    async run({ signal, taskId }) {
      send({ type: 'running', taskId, at: machineMs() })
      await new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          send({ type: 'aborted', taskId, at: machineMs() })
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
      send({ type: 'ended', taskId, at: machineMs() })
    },
  }),
})
