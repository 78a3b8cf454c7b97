import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskDetails, TaskEvent, TaskManager } from '@taskledger/core'
import { createTaskManager, silentLogger } from '@taskledger/core'
import { openEngines } from './engines.ts'
import type { Left } from '../evidence/lines.ts'
import { evidenceWriter, readEvidence } from '../evidence/files.ts'
import type { Environment } from './environment.ts'
import type { ChaosSettings } from '../settings.ts'

const unfinished = ['waiting', 'inProgress', 'cancelRequested'] as const

/** How often the state of the system is polled, in milliseconds. */
const pollMs = 500

/** How many histories are read at a time. */
const concurrency = 16

/** How long after the last end a message may stay in its queue, in milliseconds. */
const messagesMs = 10_000

/** A front-end without proxies. */
export const openObserver = async (environment: Environment, settings: ChaosSettings): Promise<TaskManager> =>
  createTaskManager({
    ...(await openEngines(environment.direct, silentLogger)),
    name: 'observer',
    tasks: [],
    worker: false,
    logger: silentLogger,
    lease: settings.lease,
    janitor: settings.janitor,
  })

/** Waits until every task has ended and no process waits for an answer, at most as long as the bound. */
export const settled = async (observer: TaskManager, isIdle: () => boolean, boundMs: number): Promise<Omit<Left, 'messages'>> => {
  const startedAt = performance.now()
  for (;;) {
    const { tasks } = await observer.list({ status: unfinished, limit: 1 })
    const settledAfterMs = Math.round(performance.now() - startedAt)
    if (tasks.length === 0 && isIdle()) return { isSettled: true, settledAfterMs }
    if (settledAfterMs > boundMs) return { isSettled: false, settledAfterMs }
    await sleep(pollMs)
  }
}

/** The messages in the queues, once those of ended tasks had time to go. */
export const messagesLeft = async ({ rabbitmq }: Environment): Promise<Readonly<Record<string, number>>> => {
  const until = performance.now() + messagesMs
  for (;;) {
    const lines = (await rabbitmq.ctl('list_queues', '--no-table-headers', 'name', 'messages')).trim().split('\n')
    const counts = lines.map((line) => line.split('\t')).map(([name = '', count = '0']) => [name, Number(count)] as const)
    // The token of a serial queue is a message that stays.
    const left = Object.fromEntries(counts.filter(([name, count]) => count > 0 && /\.(work|dead)\./.test(name)))
    if (Object.keys(left).length === 0 || performance.now() > until) return left
    await sleep(pollMs)
  }
}

/** Records the listing, and the history of every task that a submitter or the listing names. */
export const recordState = async (observer: TaskManager, settings: ChaosSettings, left: Left): Promise<void> => {
  const { folder } = settings
  const { submits } = readEvidence(folder)
  const listed: TaskDetails[] = []
  for await (const details of observer.tasks()) listed.push(details)
  const ids = [...new Set([...submits.flatMap(({ taskId }) => taskId ?? []), ...listed.map(({ taskId }) => taskId)])]
  const recordHistory = evidenceWriter(folder, 'histories', 'observer')
  let next = 0
  const readRest = async (): Promise<void> => {
    for (let id = ids[next++]; id !== undefined; id = ids[next++]) recordHistory({ taskId: id, events: await historyOf(observer, id) })
  }
  await Promise.all(Array.from({ length: concurrency }, readRest))
  const recordRow = evidenceWriter(folder, 'listing', 'observer')
  for (const row of listed) recordRow(row)
  evidenceWriter(folder, 'left', 'observer')(left)
}

const historyOf = async (observer: TaskManager, taskId: string): Promise<readonly TaskEvent[]> => {
  try {
    return await observer.history(taskId)
  } catch (error) {
    // The outcome of its submit was unknown, and it was not submitted.
    if (error instanceof Error && 'code' in error && error.code === 'TASK_NOT_FOUND') return []
    throw error
  }
}
