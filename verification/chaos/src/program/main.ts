// A worker, a submitter or a client in a process of its own. Its parent sends its options and commands.
import { once } from 'node:events'
import process from 'node:process'
import { createTaskManager } from '@taskledger/core'
import type { TaskManager } from '@taskledger/core'
import { openEngines } from '../environment/engines.ts'
import { evidenceWriter } from '../evidence/files.ts'
import { runClient } from './client.ts'
import { stderrLogger } from './logger.ts'
import type { FromChild, ProcessOptions } from './messages.ts'
import { runSubmitter } from './submitter.ts'
import { tasksOf } from './tasks.ts'

const logger = stderrLogger()
const say = (message: FromChild): Promise<void> => new Promise((resolve) => process.send?.(message, () => resolve()))

/** How long running tasks may go on after SIGTERM, in milliseconds. */
const drainMs = 1_000

let manager: TaskManager | undefined
let closing: Promise<void> | undefined
const close = (): void => {
  if (manager === undefined) process.exit(0)
  closing ??= manager.close({ drainMs }).then(
    () => process.exit(0),
    (error: unknown) => {
      logger.error({ err: error }, 'could not close the node in order')
      process.exit(1)
    },
  )
}
process.on('SIGTERM', close)
// Ctrl-C reaches all processes of a terminal; the parent handles it.
process.on('SIGINT', () => {})
process.once('disconnect', () => process.exit(1))

const [options] = (await once(process, 'message')) as [ProcessOptions]
const { role, process: name, engines, settings } = options
const note = evidenceWriter(settings.folder, 'runs', name)
const tasks = tasksOf(name, note)
try {
  manager = await createTaskManager({
    ...(await openEngines(engines, logger)),
    name,
    tasks: [...tasks.values()],
    logger,
    lease: settings.lease,
    janitor: settings.janitor,
    worker:
      role === 'worker'
        ? {
            queues: { default: { slots: 8 }, serial: { slots: 1, mode: 'serial' } },
            drainMs,
            cancelGraceMs: 5_000,
            progressIntervalMs: 200,
          }
        : false,
  })
} catch (error) {
  logger.error({ err: error }, 'could not start the node')
  await say({ type: 'neverStarted', why: String(error) })
  process.exit(1)
}
if (role === 'submitter') runSubmitter({ manager, tasks, name, settings, say })
if (role === 'client') runClient({ manager, name, settings, say })
await say({ type: 'ready' })
