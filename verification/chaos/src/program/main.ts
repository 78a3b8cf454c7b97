// A worker, a submitter or a client, as a process of its own. It is told what to do by the process that forked it.
import { once } from 'node:events'
import process from 'node:process'
import { createTaskManager } from '@taskledger/core'
import type { TaskManager } from '@taskledger/core'
import { openEngines } from '../engines.ts'
import { witness } from '../evidence.ts'
import { tasksOf } from '../tasks.ts'
import { beClient } from './client.ts'
import { stderrLogger } from './logger.ts'
import type { Answer, Orders } from './messages.ts'
import { beSubmitter } from './submitter.ts'

const logger = stderrLogger()
const say = (answer: Answer): Promise<void> => new Promise((resolve) => process.send?.(answer, () => resolve()))

/** How long what runs may go on when this process is told to stop, in milliseconds. */
const drainMs = 1_000

let manager: TaskManager | undefined
let closing: Promise<void> | undefined
const close = (): void => {
  if (manager === undefined) process.exit(0)
  closing ??= manager.close({ drainMs }).then(
    () => process.exit(0),
    (error: unknown) => {
      logger.error({ err: error }, 'the node could not be closed in order')
      process.exit(1)
    },
  )
}
process.on('SIGTERM', close)
// Ctrl-C reaches all processes of a terminal; the parent decides what it means.
process.on('SIGINT', () => {})
process.once('disconnect', () => process.exit(1))

const [orders] = (await once(process, 'message')) as [Orders]
const { role, process: name, engines, settings } = orders
const note = witness(settings.folder, 'runs', name)
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
  logger.error({ err: error }, 'could not begin')
  await say({ type: 'neverBegan', why: String(error) })
  process.exit(1)
}
if (role === 'submitter') beSubmitter({ manager, tasks, name, settings, say })
if (role === 'client') beClient({ manager, name, settings, say })
await say({ type: 'ready' })
