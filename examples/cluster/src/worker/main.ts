// A worker in a process of its own. Its parent sends the settings, and it ends with its parent.
import { once } from 'node:events'
import process from 'node:process'
import type { TaskManager } from '@taskledger/core'
import { createTaskManager } from '@taskledger/core'
import { demoSteps } from '@taskledger/example-reindex/demo'
import { MailParser, openIndex, reindexer } from '@taskledger/example-reindex/job'
import { openEngines } from '../environment/engines.ts'
import { reasonOf } from '../errors.ts'
import { streamLogger } from '../stream-logger.ts'
import type { WorkerReport, WorkerSettings } from './messages.ts'

/** How long a worker without a parent may take to release its tasks, in milliseconds. */
const orphanMs = 5_000

/** A body checks its signal between two messages. */
const cancelGraceMs = 5_000

const logger = streamLogger(process.stderr)
const report = (message: WorkerReport): Promise<void> => new Promise((resolve) => process.send?.(message, () => resolve()))

let manager: TaskManager | undefined
let closing: Promise<void> | undefined

const close = (why: string, drainMs?: number): void => {
  if (manager === undefined) process.exit(0)
  if (closing !== undefined) return
  logger.info({}, why)
  closing = manager.close(drainMs === undefined ? {} : { drainMs }).then(
    () => process.exit(0),
    (error: unknown) => {
      logger.error({ err: error }, 'could not close the node in order')
      process.exit(1)
    },
  )
}

// The channel closes when the parent ends, however it ends.
process.once('disconnect', () => {
  setTimeout(() => process.exit(1), orphanMs)
  close('releasing the running tasks: the parent is gone', 0)
})
process.on('SIGTERM', () => close('stopping: running tasks may go on for a moment, then they are released'))
// Ctrl-C reaches all processes of a terminal; the parent handles it.
process.on('SIGINT', () => {})
process.on('SIGHUP', () => {})

const [settings] = (await once(process, 'message')) as [WorkerSettings]
const { name, engines, index: folder, paceMs, slots, drainMs } = settings
try {
  const index = openIndex(folder)
  process.once('exit', () => index.close())
  const task = reindexer({ index, parser: new MailParser(), ...(paceMs === undefined ? {} : { beforeMessage: demoSteps(paceMs) }) })
  const node = { ...openEngines(engines, logger), name, tasks: [task], logger }
  manager = await createTaskManager({ ...node, worker: { slots, drainMs, cancelGraceMs, progressIntervalMs: 200 } })
  logger.info({ nodeId: manager.nodeId, pid: process.pid }, 'ready')
  await report({ type: 'ready', nodeId: manager.nodeId, queues: manager.worker?.slots ?? {} })
} catch (error) {
  logger.error({ err: error }, 'could not start the node')
  await report({ type: 'failed', message: reasonOf(error) })
  process.exit(1)
}
