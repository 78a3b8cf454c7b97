import type { TaskEvent, TaskManager } from '@taskledger/core'
import { hasCode } from '@taskledger/core'
import { isFinalEvent } from '@taskledger/core/ports'
import { checkHistory } from '@taskledger/core/testing'
import type { Answer } from '../../nodes/load.ts'
import { timeOf } from '../../measure/pace.ts'

/** The fates of the tasks of a load, by their histories. */
export interface Fates {
  readonly acknowledged: number
  /** Acknowledged tasks without an end. */
  readonly lost: number
  /** Tasks with more than one end. */
  readonly settledTwice: number
  /** Other faults of the histories, in sentences. */
  readonly faults: readonly string[]
  /** Tasks that exist although their submits were not acknowledged. */
  readonly unacknowledged: number
  /** Unacknowledged tasks that have ended. */
  readonly unacknowledgedEnded: number
}

const concurrentReads = 32

const historyOf = async (manager: TaskManager, taskId: string): Promise<readonly TaskEvent[]> => {
  try {
    return await manager.history(taskId)
  } catch (error) {
    if (hasCode(error, 'TASK_NOT_FOUND')) return []
    throw error
  }
}

export const fatesOf = async (manager: TaskManager, answers: readonly Answer[]): Promise<Fates> => {
  const fates = { acknowledged: 0, lost: 0, settledTwice: 0, unacknowledged: 0, unacknowledgedEnded: 0 }
  const faults: string[] = []
  await timeOf(answers.length, concurrentReads, async (index) => {
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
      fates.unacknowledged++
      if (ends > 0) fates.unacknowledgedEnded++
    }
  })
  return { ...fates, faults }
}
