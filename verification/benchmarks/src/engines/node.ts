import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { cassandraStorage } from '@taskledger/cassandra'
import type { TaskManager } from '@taskledger/core'
import { consoleLogger, createTaskManager, defineTask } from '@taskledger/core'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { Burst, BurstTimes } from './burst.ts'
import { burst } from './burst.ts'
import type { Counts } from './counts.ts'
import { countDrivers, takeCounts } from './counts.ts'
import type { Engines } from './engines.ts'
import { fileLogger } from './file-logger.ts'
import type { Answer, Load, LoadUnderWay } from './load.ts'
import { beginLoad } from './load.ts'
import { machineMs, serve, tell } from './rpc.ts'

/** A process of the cluster that is measured: a manager on real engines. */
export interface NodeArgument {
  readonly engines: Engines
  readonly prefix: string
  readonly name: string
  /** How many tasks it runs at a time; 0: a front-end. */
  readonly slots: number
  readonly isCounting: boolean
  /** Whether lease and janitor do nothing. */
  readonly isUnguarded?: boolean
  /** The file that it logs to. Default: the console. */
  readonly log?: string
}

/** What a process of the cluster says unasked: a body runs, or was told to stop, or has ended. */
export interface Told {
  readonly type: 'running' | 'aborted' | 'ended'
  readonly taskId: string
  /** On the clock of {@link machineMs}. */
  readonly at: number
}

export interface NodeMemory {
  readonly heapMiB: number
  readonly residentMiB: number
}

/** What a process of the cluster can be asked for. */
export interface NodeCommands {
  readonly [name: string]: (argument: never) => Promise<unknown>
  readonly open: () => Promise<void>
  readonly burst: (burst: Burst) => Promise<BurstTimes>
  /** Submits one; says when, and what. */
  readonly submit: (type: 'noop' | 'hang') => Promise<{ readonly taskId: string; readonly at: number }>
  readonly beginLoad: (load: Load) => Promise<void>
  readonly endLoad: () => Promise<readonly Answer[]>
  /** Takes no tasks for now, and takes them again. */
  readonly pause: () => Promise<void>
  readonly resume: () => Promise<void>
  readonly counts: () => Promise<Counts>
  readonly memory: () => Promise<NodeMemory>
}

export const noop = defineTask({ type: 'noop', run: () => {} })

/** Runs until it is told to stop. */
export const hang = defineTask({
  type: 'hang',
  async run({ signal, taskId }) {
    tell({ type: 'running', taskId, at: machineMs() } satisfies Told)
    await new Promise<void>((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        tell({ type: 'aborted', taskId, at: machineMs() } satisfies Told)
        reject(signal.reason as Error)
      })
    })
  },
})

/** Short, but long enough that some are always running. */
const brief = defineTask({
  type: 'brief',
  async run({ signal, taskId }) {
    await sleep(20, undefined, { signal })
    tell({ type: 'ended', taskId, at: machineMs() } satisfies Told)
  },
})

/** There is no switch: what happens every twelve hours does not happen in a benchmark. */
const unguarded = {
  lease: { renewMs: 12 * 3_600_000, ttlMs: 24 * 3_600_000 },
  janitor: { intervalMs: 12 * 3_600_000, overdueMs: 12 * 3_600_000 },
}

export const openManager = async (argument: Omit<NodeArgument, 'isCounting'>): Promise<TaskManager> => {
  const { engines, prefix, name, slots, isUnguarded = false, log } = argument
  const { cassandra, amqp, keyspace } = engines
  const logger = log === undefined ? consoleLogger : fileLogger(log)
  return createTaskManager({
    tasks: [noop, hang, brief],
    storage: cassandraStorage({ ...cassandra, keyspace, prefix, logger }),
    messaging: rabbitmqMessaging({ url: amqp.url, prefix, logger }),
    name,
    worker: slots === 0 ? false : { slots },
    logger,
    ...(isUnguarded ? unguarded : {}),
  })
}

const memory = (): NodeMemory => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  collectGarbage()
  const { heapUsed, rss } = process.memoryUsage()
  return { heapMiB: heapUsed / 2 ** 20, residentMiB: rss / 2 ** 20 }
}

const serveNode = (argument: NodeArgument): { commands: NodeCommands; close: () => Promise<void> } => {
  const opened = (async () => {
    if (argument.isCounting) await countDrivers(argument.engines.amqp.url)
    return openManager(argument)
  })()
  let load: LoadUnderWay | undefined
  return {
    commands: {
      open: async () => void (await opened),
      async burst(asked: Burst) {
        const manager = await opened
        return burst(asked, async () => {
          const task = await manager.submit(noop)
          return () => task.result()
        })
      },
      async submit(type: 'noop' | 'hang') {
        const at = machineMs()
        const { id: taskId } = await (await opened).submit(type === 'noop' ? noop : hang)
        return { taskId, at }
      },
      async beginLoad(asked: Load) {
        const manager = await opened
        load = beginLoad(asked, async () => (await manager.submit(brief)).id)
      },
      endLoad: async () => (await load?.end()) ?? [],
      pause: async () => (await opened).worker?.pause(),
      resume: async () => (await opened).worker?.resume(),
      counts: () => Promise.resolve(takeCounts()),
      memory: () => Promise.resolve(memory()),
    },
    close: async () => (await opened).close({ drainMs: 0 }),
  }
}

// The module is also read by whoever starts it.
if (import.meta.main) serve(serveNode)
