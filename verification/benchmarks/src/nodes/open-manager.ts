import { cassandraStorage } from '@taskledger/cassandra'
import type { Logger, TaskManager, TaskManagerOptions } from '@taskledger/core'
import { createTaskManager } from '@taskledger/core'
import { consoleLogger } from '@taskledger/core/ports'
import type { Memory } from '@taskledger/memory'
import { createMemory } from '@taskledger/memory'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { Endpoints } from '../platforms/endpoints.ts'
import { fileLogger } from './file-logger.ts'
import type { SendReport } from './tasks.ts'
import { tasksOf } from './tasks.ts'

/** The engines of a node. A process of its own receives it as JSON. */
export type Target = { readonly type: 'memory' } | { readonly type: 'servers'; readonly endpoints: Endpoints }

type Adapters = Pick<TaskManagerOptions, 'storage' | 'messaging'>

/** One memory for each prefix, which all nodes of this process share. */
const memories = new Map<string, Memory>()

const memoryOf = (prefix: string): Memory => {
  const memory = memories.get(prefix) ?? createMemory()
  memories.set(prefix, memory)
  return memory
}

export const openStorage = async (target: Target, prefix: string, logger: Logger = consoleLogger) => {
  if (target.type === 'memory') return memoryOf(prefix).storage()
  const { cassandra, keyspace } = target.endpoints
  const { version: _version, ...connection } = cassandra
  return cassandraStorage({ ...connection, keyspace, prefix, logger })
}

export const openMessaging = async (target: Target, prefix: string, logger: Logger = consoleLogger) => {
  if (target.type === 'memory') return memoryOf(prefix).messaging()
  return rabbitmqMessaging({ url: target.endpoints.amqp.url, prefix, logger })
}

/** There is no switch for lease and janitor: an interval of twelve hours does not pass in a benchmark. */
const unguarded = {
  lease: { renewMs: 12 * 3_600_000, ttlMs: 24 * 3_600_000 },
  janitor: { intervalMs: 12 * 3_600_000, overdueMs: 12 * 3_600_000 },
}

export interface ManagerOptions {
  readonly target: Target
  readonly prefix: string
  readonly name: string
  /** How many tasks it runs at a time; 0: a front-end. */
  readonly slots: number
  /** Whether lease and janitor do nothing. */
  readonly isUnguarded?: boolean
  /** The file that it logs to. Default: the console. */
  readonly log?: string | undefined
}

export const openManager = async (options: ManagerOptions, send: SendReport = () => {}): Promise<TaskManager> => {
  const { target, prefix, name, slots, isUnguarded = false, log } = options
  const logger = log === undefined ? consoleLogger : fileLogger(log)
  const adapters: Adapters = { storage: openStorage(target, prefix, logger), messaging: openMessaging(target, prefix, logger) }
  return createTaskManager({
    ...adapters,
    tasks: Object.values(tasksOf(send)),
    name,
    worker: slots === 0 ? false : { slots },
    logger,
    ...(isUnguarded ? unguarded : {}),
  })
}
