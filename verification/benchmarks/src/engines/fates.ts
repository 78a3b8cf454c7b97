import type { TaskEvent, TaskManager } from '@taskledger/core'
import { isFinalEvent, isTaskNotFound } from '@taskledger/core'
import { checkHistory } from '@taskledger/core/testing'
import type { Answer } from './load.ts'
import { timeOf } from './pace.ts'

/** What became of the tasks of a load, by their histories. */
export interface Fates {
  readonly acknowledged: number
  /** Acknowledged, and without an end. */
  readonly lost: number
  /** With more than one end. */
  readonly settledTwice: number
  /** What else is wrong with the histories, in sentences. */
  readonly faults: readonly string[]
  /** Not acknowledged, and there all the same. */
  readonly thereAllTheSame: number
  /** Those of them that have ended. */
  readonly endedAllTheSame: number
}

const readersAtOnce = 32

const historyOf = async (manager: TaskManager, taskId: string): Promise<readonly TaskEvent[]> => {
  try {
    return await manager.history(taskId)
  } catch (error) {
    if (isTaskNotFound(error)) return []
    throw error
  }
}

export const fatesOf = async (manager: TaskManager, answers: readonly Answer[]): Promise<Fates> => {
  const fates = { acknowledged: 0, lost: 0, settledTwice: 0, thereAllTheSame: 0, endedAllTheSame: 0 }
  const faults: string[] = []
  await timeOf(answers.length, readersAtOnce, async (index) => {
    const { taskId, code } = answers[index] as Answer
    if (taskId === undefined) return
    const history = await historyOf(manager, taskId)
    const ends = history.filter(isFinalEvent).length
    if (ends > 1) fates.settledTwice++
    faults.push(...checkHistory(history).map((fault) => `${taskId}: ${fault}`))
    if (code === undefined) {
      fates.acknowledged++
      if (ends === 0) fates.lost++
    } else if (history.length > 0) {
      fates.thereAllTheSame++
      if (ends > 0) fates.endedAllTheSame++
    }
  })
  return { ...fates, faults }
}
