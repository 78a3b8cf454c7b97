import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '@taskledger/core'
import { machineMs } from './rpc.ts'

/** Submits at a steady pace, by so many submitters. */
export interface Load {
  readonly perSecond: number
  readonly submitters: number
}

/** What a submitter was told. */
export interface Answer {
  /** Where its submit was acknowledged, or its error names it. */
  readonly taskId?: string
  /** Why it was not acknowledged. */
  readonly code?: string
  /** On the clock of {@link machineMs}. */
  readonly askedAt: number
  readonly answeredAt: number
}

/** A load that goes on. */
export interface LoadUnderWay {
  /** Resolves when every submit has been answered, with all answers. */
  end(): Promise<readonly Answer[]>
}

/** Begins. A submitter waits for each answer, and leaves out those of its submits that fell due meanwhile. */
export const beginLoad = ({ perSecond, submitters }: Load, submit: () => Promise<string>): LoadUnderWay => {
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
