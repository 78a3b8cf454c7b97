import type { Logger, TaskManager } from '@taskledger/core'
import { createTaskManager } from '@taskledger/core'
import { createMemory } from '@taskledger/memory'
import { openIndex } from './index/open-index.ts'
import { MailParser } from './mail/mail-parser.ts'
import { reindexer } from './reindex.ts'
import { reindexMailbox } from './reindex-task.ts'
import type { ReindexOptions } from './reindex.ts'

/** A front-end and its workers, in one process. */
export interface LocalCluster {
  /** Submits, watches and cancels, and runs no tasks. */
  readonly frontEnd: TaskManager
  readonly workers: readonly TaskManager[]
  /** The name of a node, by its id. */
  nameOf(nodeId: string): string
  /** Stops the workers. Running tasks may go on for `drainMs`, then they are released. */
  drain(drainMs: number): Promise<void>
  close(): Promise<void>
}

export interface LocalClusterOptions extends Pick<ReindexOptions, 'beforeMessage'> {
  /** The folder of the index. */
  readonly index: string
  readonly logger: Logger
}

const workerNames = ['worker-1', 'worker-2']

/** How many mailboxes a worker reindexes at a time. */
const slots = 2

/**
 * Starts three nodes on one memory. On a cluster each node would be a process of its own, with `storage` and `messaging` from other adapters.
 * Nothing else would change.
 */
export const startLocalCluster = async ({ index: folder, logger, beforeMessage }: LocalClusterOptions): Promise<LocalCluster> => {
  const memory = createMemory({ logger })
  const clients = (): Pick<Parameters<typeof createTaskManager>[0], 'storage' | 'messaging' | 'logger'> => ({
    storage: memory.storage(),
    messaging: memory.messaging(),
    logger,
  })
  const index = openIndex(folder)
  const parser = new MailParser()
  const task = reindexer({ index, parser, ...(beforeMessage === undefined ? {} : { beforeMessage }) })
  const startWorker = (name: string): Promise<TaskManager> =>
    createTaskManager({ ...clients(), name, tasks: [task], worker: { slots, progressIntervalMs: 100 } })
  const [frontEnd, ...workers] = await Promise.all([
    createTaskManager({ ...clients(), name: 'front-end', tasks: [reindexMailbox], worker: false }),
    ...workerNames.map(startWorker),
  ])
  const names = new Map(workers.map(({ nodeId }, at) => [nodeId, workerNames[at]]))
  const drain = async (drainMs: number): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.close({ drainMs })))
  }
  return {
    frontEnd,
    workers,
    nameOf: (nodeId) => names.get(nodeId) ?? nodeId,
    drain,
    close: async () => {
      await drain(0)
      await frontEnd.close()
      await parser.close()
      index.close()
    },
  }
}
