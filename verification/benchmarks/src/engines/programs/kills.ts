import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskId, TaskManager } from '@taskledger/core'
import { quantile } from '../../figures.ts'
import type { EngineFigure, NodeChild, Program } from '../bench.ts'
import { endAll, freshPrefix, logOf, startNodes } from '../bench.ts'
import { hang, openManager } from '../node.ts'
import { machineMs } from '../rpc.ts'
import { until } from '../until.ts'

const rounds = 8

/** How many tasks run on a worker when it is killed, how many it was handed and has not begun, and how many wait in the queue. */
const runningCount = 10
const handedCount = 10
const waitingCount = 20

const survivorSlots = 40

/** How long after a kill a task may run elsewhere and not count as held back, in milliseconds. */
const lateMs = 2_000

/** Longer than anything should take, in milliseconds. */
const boundMs = 120_000

/** A task that was not done when the worker was killed. */
interface Again {
  /** Whether it had begun there. */
  readonly hadBegun: boolean
  /** From the end of its run to the next one, or from the kill to the first one; in milliseconds. */
  readonly afterMs: number
}

interface Round {
  readonly manager: TaskManager
  readonly victim: NodeChild
  readonly survivors: readonly NodeChild[]
}

const began = async (what: string, tasks: number, has: () => number): Promise<void> => {
  if (!(await until(boundMs, () => has() >= tasks))) throw new Error(`${has()} of ${tasks} tasks ${what} within ${boundMs / 1_000} s`)
}

/**
 * The others take nothing until the kill, so that what is running runs on the victim. It stands still for a moment before: what
 * the broker hands it then, it has and does not begin.
 */
const killOne = async ({ manager, victim, survivors }: Round): Promise<readonly Again[]> => {
  const before = new Set<string>()
  const after = new Map<string, number>()
  victim.hear(({ type, taskId }) => type === 'running' && before.add(taskId))
  for (const survivor of survivors) survivor.hear(({ type, taskId, at }) => type === 'running' && after.set(taskId, at))
  const submit = (count: number): Promise<readonly TaskId[]> =>
    Promise.all(Array.from({ length: count }, async () => (await manager.submit(hang)).id))

  const first = await submit(runningCount)
  await began('run', runningCount, () => before.size)
  // At any time of its lease, and not before the broker knows that the ten were taken.
  await sleep(3_000 + Math.random() * 5_000)
  const stoppedAt = machineMs()
  process.kill(victim.pid, 'SIGSTOP')
  const taskIds = [...first, ...(await submit(handedCount + waitingCount))]
  const killedAt = machineMs()
  await victim.kill()
  await Promise.all(survivors.map((survivor) => survivor.call('resume')))
  await began('run again', taskIds.length, () => after.size)

  return Promise.all(
    taskIds.map(async (taskId) => {
      const hadBegun = (await manager.history(taskId)).some(({ type }) => type === 'TaskDied')
      await manager.task(taskId).cancel()
      await manager.task(taskId).finished()
      return { hadBegun, afterMs: (after.get(taskId) ?? Number.NaN) - (hadBegun ? stoppedAt : killedAt) }
    }),
  )
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1)

const figuresOf = (kills: readonly (readonly Again[])[]): readonly EngineFigure[] => {
  const timesOf = (hadBegun: boolean): readonly number[] =>
    kills.flat().flatMap((again) => (again.hadBegun === hadBegun ? again.afterMs : []))
  const [ran, waited] = [timesOf(true), timesOf(false)]
  const slowest = kills.map((tasks) => seconds(Math.max(...tasks.map(({ afterMs }) => afterMs))))
  return [
    {
      name: 'ran on a killed worker, running elsewhere, median',
      value: quantile(ran, 0.5) / 1_000,
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
      name: 'had not begun, running elsewhere, max',
      value: Math.max(...waited) / 1_000,
      unit: 's',
      detail: `${waited.length} tasks, of which it was handed ${handedCount * kills.length}; median ${seconds(quantile(waited, 0.5))}`,
    },
    {
      name: 'had not begun, and were held back all the same',
      value: waited.filter((ms) => ms > lateMs).length,
      unit: 'tasks',
      detail: `for more than ${seconds(lateMs)} s`,
      aim: '0',
    },
  ]
}

/** SIGKILL of a worker. When a task runs is told by its body, past the system. */
export const kills: Program = {
  about: 'a worker with ten running tasks is killed: seconds until each runs elsewhere',
  longestMs: 900_000,
  async run(bench): Promise<readonly EngineFigure[]> {
    const { engines, scale } = bench
    const prefix = freshPrefix()
    const survivors = await startNodes(bench, {
      prefix,
      nodes: { 'survivor-1': survivorSlots, 'survivor-2': survivorSlots },
      isHarmed: true,
    })
    const children = [...survivors]
    const manager = await openManager({ engines, prefix, name: 'submitter', slots: 0, ...logOf(bench, `${prefix}-submitter`, true) })
    try {
      const kills: (readonly Again[])[] = []
      for (let round = 0; round < Math.ceil(rounds * scale); round++) {
        await Promise.all(survivors.map((survivor) => survivor.call('pause')))
        const [victim] = (await startNodes(bench, {
          prefix,
          nodes: { [`victim-${round}`]: runningCount + handedCount },
          isHarmed: true,
        })) as [NodeChild]
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
