import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskManager } from '@taskledger/core'
import { codeOf } from '@taskledger/core'
import { evidenceWriter } from '../evidence/files.ts'
import { Random } from '../plan/random.ts'
import type { ChaosSettings } from '../settings.ts'
import type { FromChild, ToChild } from './messages.ts'
import { isTemporary, retryMs } from './retry.ts'
import type { ChaosTask, Kind, Payload } from './tasks.ts'
import { randomTask } from './tasks.ts'

export interface SubmitterParts {
  readonly manager: TaskManager
  readonly tasks: ReadonlyMap<Kind, ChaosTask>
  readonly name: string
  readonly settings: ChaosSettings
  readonly say: (message: FromChild) => Promise<void>
}

/** More submits at a time would show nothing new while an engine is away. */
const maxActive = 64

/** Submits tasks at a steady rate. Every second task has a key, and is submitted until it is acknowledged. */
export const runSubmitter = ({ manager, tasks, name, settings, say }: SubmitterParts): void => {
  const note = evidenceWriter(settings.folder, 'submits', name)
  const random = new Random(settings.seed, name)
  let active = 0
  let count = 0

  /** Whether the submit need not be repeated. */
  const submitOnce = async (key: string | undefined, kind: Kind, payload: Payload): Promise<boolean> => {
    const task = tasks.get(kind)
    if (task === undefined) throw new Error(`no task has the kind ${kind}`)
    const keyed = key === undefined ? {} : { key }
    try {
      const { id } = await manager.submit(task, payload, key === undefined ? {} : { idempotencyKey: key })
      note({ type: 'acknowledged', taskId: id, ...keyed, at: Date.now() })
      void say({ type: 'acknowledged', taskId: id })
      return true
    } catch (error) {
      if (codeOf(error) === 'CLOSED') return true
      const taskId = error instanceof Error && 'taskId' in error ? { taskId: String(error.taskId) } : {}
      note({ type: isTemporary(error) ? 'unknown' : 'refused', ...taskId, ...keyed, at: Date.now(), why: String(error) })
      return !isTemporary(error) || key === undefined
    }
  }
  const submit = async (): Promise<void> => {
    const key = count++ % 2 === 0 ? `${name}/${count}` : undefined
    const { kind, payload } = randomTask(random, settings.maxBodyMs)
    active++
    while (!(await submitOnce(key, kind, payload))) await sleep(retryMs)
    active--
  }

  const submitting = setInterval(() => {
    if (active < maxActive) void submit()
  }, 1_000 / settings.tasksPerSecond)
  const reporting = setInterval(() => void say({ type: 'busy', waitsFor: active, followed: 0 }), 300)
  process.on('message', (message: ToChild) => {
    if (message.type === 'endSubmitting') clearInterval(submitting)
  })
  process.once('SIGTERM', () => {
    clearInterval(submitting)
    clearInterval(reporting)
  })
}
