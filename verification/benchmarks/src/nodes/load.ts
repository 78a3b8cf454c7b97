import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '@taskledger/core'
import { machineMs } from './child.ts'

/** Submits at a steady rate, by a number of submitters. */
export interface Load {
  readonly perSecond: number
  readonly submitters: number
}

/** The answer to one submit. */
export interface Answer {
  /** The acknowledged task, or the task that the error names. */
  readonly taskId?: string
  /** The code of the error, if the submit was not acknowledged. */
  readonly code?: string
  /** On the clock of {@link machineMs}. */
  readonly askedAt: number
  readonly answeredAt: number
}

/** A load that is running. */
export interface RunningLoad {
  /** Ends the load. Resolves with all answers once every submit has one. */
  end(): Promise<readonly Answer[]>
}

/** Begins a load. A submitter waits for each answer, and skips the submits that were due meanwhile. */
export const beginLoad = ({ perSecond, submitters }: Load, submit: () => Promise<string>): RunningLoad => {
  const answers: Answer[] = []
  const over = new AbortController()
  const periodMs = (submitters / perSecond) * 1_000
  const ask = async (): Promise<void> => {
    const askedAt = machineMs()
    try {
      const taskId = await submit()
      answers.push({ taskId, askedAt, answeredAt: machineMs() })
    } catch (error) {
      const named = error instanceof Error && 'taskId' in error ? { taskId: String(error.taskId) } : {}
      answers.push({ ...named, code: codeOf(error) ?? String(error), askedAt, answeredAt: machineMs() })
    }
  }
  const submitter = async (index: number): Promise<void> => {
    let dueAt = machineMs() + (index / submitters) * periodMs
    while (!over.signal.aborted) {
      await sleep(Math.max(0, dueAt - machineMs()), undefined, { signal: over.signal }).catch(() => {})
      if (over.signal.aborted) return
      await ask()
      dueAt = Math.max(dueAt + periodMs, machineMs())
    }
  }
  const all = Promise.all(Array.from({ length: submitters }, (_, index) => submitter(index)))
  return {
    async end() {
      over.abort()
      await all
      return answers
    },
  }
}
