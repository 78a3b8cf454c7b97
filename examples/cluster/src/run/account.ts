import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { TaskDetails, TaskId, TaskManager, TaskStatus } from '@taskledger/core'
import { isFinalStatus } from '@taskledger/core'
import { detailsOf } from '@taskledger/core/ports'
import { checkHistory } from '@taskledger/core/testing'

/** The outcome of the tasks of a run. */
export interface Account {
  readonly submitted: number
  readonly byStatus: ReadonlyMap<TaskStatus, number>
  /** A sentence for each violation of the domain's rules, and for each difference between the list and the histories. */
  readonly violations: readonly string[]
}

export interface AccountOptions {
  readonly signal: AbortSignal
  /** How long the list may lag behind the histories, in milliseconds. Default 5,000. */
  readonly maxLagMs?: number
}

/** Reads the history of every task, checks it, and compares the list with it. */
export const accountFor = async (manager: TaskManager, taskIds: readonly TaskId[], options: AccountOptions): Promise<Account> => {
  const { signal } = options
  const byStatus = new Map<TaskStatus, number>()
  const violations: string[] = []
  const folds = new Map<TaskId, TaskDetails>()
  for (const taskId of taskIds) {
    const history = await manager.history(taskId, { signal })
    violations.push(...checkHistory(history).map((violation) => `task ${taskId}: ${violation}`))
    const fold = detailsOf(history)
    if (fold === undefined) continue
    folds.set(taskId, fold)
    byStatus.set(fold.status, (byStatus.get(fold.status) ?? 0) + 1)
  }
  violations.push(...(await differencesOfList(manager, folds, options)))
  return { submitted: taskIds.length, byStatus, violations }
}

const differencesOfList = async (
  manager: TaskManager,
  folds: ReadonlyMap<TaskId, TaskDetails>,
  { signal, maxLagMs = 5_000 }: AccountOptions,
): Promise<readonly string[]> => {
  const until = performance.now() + maxLagMs
  for (;;) {
    const listed = await allListed(manager, signal)
    const differences = [...folds].flatMap(([taskId, fold]) => {
      const row = listed.get(taskId)
      if (row === undefined) return [`task ${taskId} is ${fold.status}, but not in the list`]
      // Until a task ends, its row has progress that its history does not have.
      if (isFinalStatus(fold.status) ? isDeepStrictEqual(row, fold) : row.version === fold.version) return []
      return [`task ${taskId} is ${fold.status} at version ${fold.version}, but its row differs: ${row.status} at version ${row.version}`]
    })
    const unknown = [...listed.keys()]
      .filter((taskId) => !folds.has(taskId))
      .map((taskId) => `the list has a task ${taskId} that was not submitted`)
    if (differences.length + unknown.length === 0 || performance.now() > until) return [...differences, ...unknown]
    await sleep(100, undefined, { signal })
  }
}

const allListed = async (manager: TaskManager, signal: AbortSignal): Promise<ReadonlyMap<TaskId, TaskDetails>> => {
  const listed = new Map<TaskId, TaskDetails>()
  for await (const details of manager.tasks({ signal })) listed.set(details.taskId, details)
  return listed
}

export interface SummaryOptions {
  readonly account: Account
  /** The number of processes, this one included. */
  readonly processes: number
  readonly elapsedMs: number
  /** Whether all tasks had the time to end: an unfinished task is lost then, and otherwise only not finished. */
  readonly isWaitedFor: boolean
}

/** The sums of a run, in a line. */
export const summaryOf = ({ account, processes, elapsedMs, isWaitedFor }: SummaryOptions): string => {
  const count = (status: TaskStatus): number => account.byStatus.get(status) ?? 0
  const unended = account.submitted - count('completed') - count('cancelled') - count('failed') - count('died')
  const some = (count: number, word: string): readonly string[] => (count === 0 ? [] : [`${count} ${word}`])
  const words = [
    `${account.submitted} submitted`,
    `${count('completed')} completed`,
    `${count('cancelled')} cancelled`,
    ...some(count('failed'), 'failed'),
    ...some(count('died'), 'died'),
    ...(isWaitedFor ? [] : some(unended, 'not finished')),
    `${isWaitedFor ? unended : 0} lost`,
    `${processes} ${processes === 1 ? 'process' : 'processes'}`,
    `${(elapsedMs / 1000).toFixed(1)} s`,
  ]
  return `cluster: ${words.join(', ')}`
}

/** Whether every task completed or was cancelled, without a violation. */
export const isAllWell = ({ submitted, byStatus, violations }: Account): boolean =>
  violations.length === 0 && (byStatus.get('completed') ?? 0) + (byStatus.get('cancelled') ?? 0) === submitted
