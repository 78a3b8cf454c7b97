import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskId, TaskManager } from '@taskledger/core'
import { within } from '@taskledger/core/ports'
import type { Program } from '../../bench.ts'
import { endAll, machineMs } from '../../nodes/child.ts'
import { openManager } from '../../nodes/open-manager.ts'
import { freshPrefix } from '../../nodes/prefix.ts'
import { tasksOf } from '../../nodes/tasks.ts'
import type { Node } from '../../platforms/platform.ts'
import type { Figure } from '../../report/figures.ts'
import { median } from '../../report/figures.ts'

const rounds = 8

/** How many tasks run on a worker when it is killed, how many were delivered to it but have not started, and how many wait in the queue. */
const runningCount = 10
const deliveredCount = 10
const waitingCount = 20

const survivorSlots = 40

/** A task that starts elsewhere within this time after a kill does not count as delayed, in milliseconds. */
const lateMs = 2_000

/** The bound of every wait, in milliseconds. */
const boundMs = 120_000

/** A task that had not completed when the worker was killed. */
interface Again {
  /** Whether it ran on that worker. */
  readonly hadStarted: boolean
  /** From the end of its run to the next run, or from the kill to the first run, in milliseconds. */
  readonly afterMs: number
}

interface Round {
  readonly manager: TaskManager
  readonly victim: Node
  readonly survivors: readonly Node[]
}

const tasks = tasksOf(() => {})

/** Resolves once the expected number of tasks run on the nodes. */
const running = (nodes: readonly Node[], count: number, onRun: (taskId: string, at: number) => void): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const taskIds = new Set<string>()
  for (const node of nodes)
    node.hear(({ type, taskId, at }) => {
      if (type !== 'running') return
      taskIds.add(taskId)
      onRun(taskId, at)
      if (taskIds.size === count) resolve()
    })
  const onTimeout = (): never => {
    throw new Error(`${taskIds.size} of ${count} tasks run after ${boundMs / 1_000} s`)
  }
  return within(promise, { timeoutMs: boundMs, onTimeout })
}

/**
 * The other workers are paused until the kill, so that all running tasks are on the victim. The victim is frozen for a moment before the
 * kill: the tasks that the broker delivers then do not start.
 */
const killOne = async ({ manager, victim, survivors }: Round): Promise<readonly Again[]> => {
  const after = new Map<string, number>()
  const runningBefore = running([victim], runningCount, () => {})
  const submit = (count: number): Promise<readonly TaskId[]> =>
    Promise.all(Array.from({ length: count }, async () => (await manager.submit(tasks.hang)).id))

  const first = await submit(runningCount)
  await runningBefore
  // At a random time of its lease, and after the broker has the acknowledgements of the ten tasks.
  await sleep(3_000 + Math.random() * 5_000)
  const stoppedAt = machineMs()
  process.kill(victim.pid, 'SIGSTOP')
  const taskIds = [...first, ...(await submit(deliveredCount + waitingCount))]
  const runningAfter = running(survivors, taskIds.length, (taskId, at) => after.set(taskId, at))
  const killedAt = machineMs()
  await victim.kill()
  await Promise.all(survivors.map((survivor) => survivor.call('resume')))
  await runningAfter

  return Promise.all(
    taskIds.map(async (taskId) => {
      const hadStarted = (await manager.history(taskId)).some(({ type }) => type === 'TaskDied')
      await manager.task(taskId).cancel()
      await manager.task(taskId).finished()
      return { hadStarted, afterMs: (after.get(taskId) ?? Number.NaN) - (hadStarted ? stoppedAt : killedAt) }
    }),
  )
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1)

const figuresOf = (kills: readonly (readonly Again[])[]): readonly Figure[] => {
  const timesOf = (hadStarted: boolean): readonly number[] =>
    kills.flat().flatMap((again) => (again.hadStarted === hadStarted ? again.afterMs : []))
  const [ran, waited] = [timesOf(true), timesOf(false)]
  const slowest = kills.map((tasks) => seconds(Math.max(...tasks.map(({ afterMs }) => afterMs))))
  return [
    {
      name: 'ran on a killed worker, running elsewhere, median',
      value: median(ran) / 1_000,
      unit: 's',
      detail: `${ran.length} tasks of ${kills.length} kills; the first after ${seconds(Math.min(...ran))}`,
    },
    {
      name: 'ran on a killed worker, running elsewhere, max',
      value: Math.max(...ran) / 1_000,
      unit: 's',
      detail: `the last one of each kill: ${slowest.join(' ')}`,
      aim: 'under 20',
    },
    {
      name: 'had not started, running elsewhere, max',
      value: Math.max(...waited) / 1_000,
      unit: 's',
      detail: `${waited.length} tasks, of which ${deliveredCount * kills.length} had been delivered; median ${seconds(median(waited))}`,
    },
    {
      name: 'had not started, and were delayed',
      value: waited.filter((ms) => ms > lateMs).length,
      unit: 'tasks',
      detail: `for more than ${seconds(lateMs)} s`,
      aim: '0',
    },
  ]
}

/** SIGKILL of a worker. The bodies report their runs, outside the system. */
export const kills: Program = {
  about: 'a worker with ten running tasks is killed: seconds until each runs elsewhere',
  on: ['servers'],
  isLong: true,
  maxMs: 900_000,
  async run({ platform, scale }): Promise<readonly Figure[]> {
    const prefix = freshPrefix()
    const survivors = await platform.startNodes({
      prefix,
      nodes: { 'survivor-1': survivorSlots, 'survivor-2': survivorSlots },
      isFaulty: true,
    })
    const children = [...survivors]
    const manager = await openManager({
      target: platform.target,
      prefix,
      name: 'submitter',
      slots: 0,
      log: platform.logOf(`${prefix}-submitter`, true),
    })
    try {
      const kills: (readonly Again[])[] = []
      for (let round = 0; round < Math.ceil(rounds * scale); round++) {
        await Promise.all(survivors.map((survivor) => survivor.call('pause')))
        const [victim] = (await platform.startNodes({
          prefix,
          nodes: { [`victim-${round}`]: runningCount + deliveredCount },
          isFaulty: true,
        })) as [Node]
        children.push(victim)
        kills.push(await killOne({ manager, victim, survivors }))
      }
      return figuresOf(kills)
    } finally {
      await manager.close()
      await endAll(children)
    }
  },
}
