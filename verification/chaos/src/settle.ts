import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskDetails, TaskEvent, TaskManager } from '@taskledger/core'
import { createTaskManager, silentLogger } from '@taskledger/core'
import { readEvidence } from './check.ts'
import { openEngines } from './engines.ts'
import type { Left } from './evidence.ts'
import { witness } from './evidence.ts'
import type { Ground } from './ground.ts'
import type { ChaosSettings } from './settings.ts'

const unfinished = ['waiting', 'inProgress', 'cancelRequested'] as const

/** How often it is looked whether all has come to rest, in milliseconds. */
const lookMs = 500

/** How many histories are read at a time. */
const window = 16

/** How long after the last end a row or a message may be on its way, in milliseconds. */
const momentMs = 10_000

/** A front-end of its own, past all proxies. */
export const openObserver = async (ground: Ground, settings: ChaosSettings): Promise<TaskManager> =>
  createTaskManager({
    ...(await openEngines(ground.direct, silentLogger)),
    name: 'observer',
    tasks: [],
    worker: false,
    logger: silentLogger,
    lease: settings.lease,
    janitor: settings.janitor,
  })

/** Waits until nothing is unfinished and nobody waits, but no longer than the bound. */
export const settled = async (observer: TaskManager, isIdle: () => boolean, boundMs: number): Promise<Omit<Left, 'messages'>> => {
  const startedAt = performance.now()
  for (;;) {
    const { tasks } = await observer.list({ status: unfinished, limit: 1 })
    const settledAfterMs = Math.round(performance.now() - startedAt)
    if (tasks.length === 0 && isIdle()) return { isSettled: true, settledAfterMs }
    if (settledAfterMs > boundMs) return { isSettled: false, settledAfterMs }
    await sleep(lookMs)
  }
}

/** Messages of tasks that have ended are taken off within a moment. */
export const messagesLeft = async ({ rabbitmq }: Ground): Promise<Readonly<Record<string, number>>> => {
  const until = performance.now() + momentMs
  for (;;) {
    const lines = (await rabbitmq.ctl('list_queues', '--no-table-headers', 'name', 'messages')).trim().split('\n')
    const counts = lines.map((line) => line.split('\t')).map(([name = '', count = '0']) => [name, Number(count)] as const)
    // The token of a serial queue is a message that stays.
    const left = Object.fromEntries(counts.filter(([name, count]) => count > 0 && /\.(work|dead)\./.test(name)))
    if (Object.keys(left).length === 0 || performance.now() > until) return left
    await sleep(lookMs)
  }
}

/** Writes down what the store says of every task that anybody was told of, and the listing. */
export const writeDown = async (observer: TaskManager, settings: ChaosSettings, left: Left): Promise<void> => {
  const { folder } = settings
  const { submits } = readEvidence(folder)
  const listed: TaskDetails[] = []
  for await (const details of observer.tasks()) listed.push(details)
  const ids = [...new Set([...submits.flatMap(({ taskId }) => taskId ?? []), ...listed.map(({ taskId }) => taskId)])]
  const noteHistory = witness(folder, 'histories', 'observer')
  let next = 0
  const readRest = async (): Promise<void> => {
    for (let id = ids[next++]; id !== undefined; id = ids[next++]) noteHistory({ taskId: id, events: await historyOf(observer, id) })
  }
  await Promise.all(Array.from({ length: window }, readRest))
  const noteRow = witness(folder, 'listing', 'observer')
  for (const row of listed) noteRow(row)
  witness(folder, 'left', 'observer')(left)
}

const historyOf = async (observer: TaskManager, taskId: string): Promise<readonly TaskEvent[]> => {
  try {
    return await observer.history(taskId)
  } catch (error) {
    // Of a submit whose outcome was unknown.
    if (error instanceof Error && 'code' in error && error.code === 'TASK_NOT_FOUND') return []
    throw error
  }
}
