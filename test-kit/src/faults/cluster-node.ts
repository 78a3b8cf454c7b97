import type { Logger, TaskManager, TaskManagerOptions } from '@taskledger/core'
import { createTaskManager } from '@taskledger/core'
import type { Clock, TaskId } from '@taskledger/core/ports'
import type { Adapters } from './adapters.ts'
import { CallFaults } from './call-faults.ts'
import type { CallName, Interceptor } from './calls.ts'
import { interceptedAdapters } from './intercepted-adapters.ts'
import { never, NodeProcess } from './node-process.ts'

/** A call between a node and its adapters, as it was noted. */
export interface NotedCall {
  readonly name: CallName
  readonly taskId: TaskId | undefined
}

/** What a node logged. */
export interface LoggedLine {
  readonly node: string
  readonly level: keyof Logger
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** How to open a node of a cluster. */
export interface NodeOptions extends Omit<TaskManagerOptions, 'storage' | 'messaging' | 'clock' | 'logger'> {
  /** The faults that the node begins with. Default: none. */
  readonly faults?: CallFaults
  /** A further interceptor between the node and its adapters, behind its faults. Default: none. */
  readonly intercept?: Interceptor
  /** How far the wall clock of the node is ahead, in milliseconds. Default 0. */
  readonly skewMs?: number
}

/** What a node of a cluster is made of. */
export interface NodeParts {
  readonly name: string
  readonly client: Adapters
  readonly clock: Clock
  /** Breaks the connections of a client, which does not close them. */
  readonly disconnect: (client: Adapters) => unknown
}

/** A node of a cluster: a task manager in a process of its own, on a client of its own, with faults between the two. */
export interface ClusterNode {
  readonly name: string
  /** The id of the node, which begins with its name. */
  readonly id: string
  readonly manager: TaskManager
  readonly process: NodeProcess
  readonly faults: CallFaults
  /** The client of the node, past all faults. */
  readonly client: Adapters
  /** Every call so far, in order. */
  readonly calls: readonly NotedCall[]
  readonly logged: readonly LoggedLine[]
  /**
   * Kills the node as SIGKILL does: its timers do not fire, its calls get no answer, it receives nothing, and the engine delivers
   * again what the node has not settled.
   */
  kill(): Promise<void>
}

/** Opens a node of a cluster. */
export const openNode = async (parts: NodeParts, options: NodeOptions): Promise<ClusterNode> => {
  const { name, client, clock, disconnect } = parts
  const { faults = new CallFaults(), intercept, skewMs, ...managerOptions } = options
  const process = new NodeProcess(clock, skewMs)
  const calls: NotedCall[] = []
  const logged: LoggedLine[] = []
  const log =
    (level: keyof Logger) =>
    (fields: object, message: string): void =>
      void logged.push({ node: name, level, message, fields: fields as LoggedLine['fields'] })
  const inProcess: Interceptor = (call, next) => {
    if (process.isDead) return answerOfDead(call.name)
    calls.push({ name: call.name, taskId: call.taskId })
    const answer = faults.intercept(call, next)
    // The engine may wait for the end of a handler.
    return answer instanceof Promise && call.name !== 'inbound.delivery' ? unlessDead(process, answer) : answer
  }
  const inner = intercept === undefined ? client : interceptedAdapters(client, intercept)
  const { storage, messaging } = interceptedAdapters(inner, inProcess)
  const manager = await createTaskManager({
    ...managerOptions,
    name,
    clock: process,
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    storage,
    messaging: { ...messaging, bus: faults.withGaps(messaging.bus) },
  })
  return {
    name,
    id: manager.nodeId,
    manager,
    process,
    faults,
    client,
    calls,
    logged,
    async kill() {
      process.kill()
      faults.deliveries.lose()
      await disconnect(client)
    },
  }
}

/** A handler in a dead process ends without settling its delivery. No other call is answered. */
const answerOfDead = (name: CallName): unknown => {
  if (name === 'inbound.notice' || name === 'inbound.gap') return undefined
  return name === 'inbound.delivery' ? Promise.resolve() : never()
}

const unlessDead = async (process: NodeProcess, answer: Promise<unknown>): Promise<unknown> => {
  try {
    const value = await answer
    if (isIterable(value)) return untilDead(process, value)
    return process.isDead ? await never() : value
  } catch (error) {
    if (process.isDead) await never()
    throw error
  }
}

async function* untilDead(process: NodeProcess, items: AsyncIterable<unknown>): AsyncGenerator {
  for await (const item of items) {
    if (process.isDead) await never()
    yield item
  }
}

const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value
