import process from 'node:process'
import { countDrivers, takeCounts } from '../measure/counts.ts'
import type { Counts } from '../measure/counts.ts'
import { heapMiB } from '../measure/heap.ts'
import type { Burst, BurstTimes } from './burst.ts'
import { burst } from './burst.ts'
import { machineMs } from './child.ts'
import type { Answer, Load, RunningLoad } from './load.ts'
import { beginLoad } from './load.ts'
import type { ManagerOptions } from './open-manager.ts'
import { openManager } from './open-manager.ts'
import type { SendReport } from './tasks.ts'
import { tasksOf } from './tasks.ts'

export type { Report } from './tasks.ts'

/** A node of the measured cluster. */
export interface NodeArgument extends ManagerOptions {
  readonly isCounting: boolean
}

export interface NodeMemory {
  readonly heapMiB: number
  readonly residentMiB: number
}

/** What the processes of the framework and those of the floor can both do. */
export interface BurstCommands {
  readonly [name: string]: (argument: never) => Promise<unknown>
  readonly burst: (burst: Burst) => Promise<BurstTimes>
  /** The statements and messages since the last call. */
  readonly counts: () => Promise<Counts>
}

/** What a node can do. */
export interface NodeCommands extends BurstCommands {
  readonly open: () => Promise<void>
  /** Submits one task. `at` is the time before the submit. */
  readonly submit: (type: 'noop' | 'hang') => Promise<{ readonly taskId: string; readonly at: number }>
  readonly beginLoad: (load: Load) => Promise<void>
  readonly endLoad: () => Promise<readonly Answer[]>
  /** Pauses and resumes the worker. */
  readonly pause: () => Promise<void>
  readonly resume: () => Promise<void>
  readonly memory: () => Promise<NodeMemory>
}

export const serveNode = (argument: NodeArgument, send: SendReport): { commands: NodeCommands; close: () => Promise<void> } => {
  const { noop, hang, brief } = tasksOf(send)
  const opened = (async () => {
    if (argument.isCounting && argument.target.type === 'servers') await countDrivers(argument.target.endpoints.amqp.url)
    return openManager(argument, send)
  })()
  let load: RunningLoad | undefined
  return {
    commands: {
      open: async () => void (await opened),
      async burst(given: Burst) {
        const manager = await opened
        return burst(given, async () => {
          const task = await manager.submit(noop)
          return () => task.result()
        })
      },
      async submit(type: 'noop' | 'hang') {
        const at = machineMs()
        const { id: taskId } = await (await opened).submit(type === 'noop' ? noop : hang)
        return { taskId, at }
      },
      async beginLoad(given: Load) {
        const manager = await opened
        load = beginLoad(given, async () => (await manager.submit(brief)).id)
      },
      endLoad: async () => (await load?.end()) ?? [],
      pause: async () => (await opened).worker?.pause(),
      resume: async () => (await opened).worker?.resume(),
      counts: () => Promise.resolve(takeCounts()),
      memory: () => Promise.resolve({ heapMiB: heapMiB(), residentMiB: process.memoryUsage().rss / 2 ** 20 }),
    },
    close: async () => (await opened).close({ drainMs: 0 }),
  }
}
