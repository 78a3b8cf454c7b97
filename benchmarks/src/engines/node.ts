import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { cassandraStorage } from '@taskledger/cassandra'
import type { TaskManager } from '@taskledger/core'
import { createTaskManager, defineTask } from '@taskledger/core'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { Burst, BurstTimes } from './burst.ts'
import { burst } from './burst.ts'
import type { Counts } from './counts.ts'
import { countDrivers, takeCounts } from './counts.ts'
import type { Engines } from './engines.ts'
import { machineMs, serve, tell } from './rpc.ts'

/** A process of the cluster that is measured: a manager on real engines. */
export interface NodeArgument {
  readonly engines: Engines
  readonly prefix: string
  readonly name: string
  /** How many tasks it runs at a time; 0: a front-end. */
  readonly slots: number
  readonly isCounting: boolean
}

/** What a process of the cluster says unasked: a body runs, or was told to stop. */
export interface Told {
  readonly type: 'running' | 'aborted'
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

export const openManager = async ({ engines, prefix, name, slots }: Omit<NodeArgument, 'isCounting'>): Promise<TaskManager> => {
  const { cassandra, amqp, keyspace } = engines
  const [storage, messaging] = await Promise.all([
    cassandraStorage({ ...cassandra, keyspace, prefix }),
    rabbitmqMessaging({ url: amqp.url, prefix }),
  ])
  return createTaskManager({ tasks: [noop, hang], storage, messaging, name, worker: slots === 0 ? false : { slots } })
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
      counts: () => Promise.resolve(takeCounts()),
      memory: () => Promise.resolve(memory()),
    },
    close: async () => (await opened).close({ drainMs: 0 }),
  }
}

// The module is also read by whoever starts it.
if (import.meta.main) serve(serveNode)
