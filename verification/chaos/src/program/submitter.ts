import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskManager } from '@taskledger/core'
import { codeOf } from '@taskledger/core'
import { Chance } from '../chance.ts'
import { witness } from '../evidence.ts'
import type { ChaosSettings } from '../settings.ts'
import type { ChaosTask, Kind } from '../tasks.ts'
import { taskByChance } from '../tasks.ts'
import type { Answer, Word } from './messages.ts'

export interface Submitting {
  readonly manager: TaskManager
  readonly tasks: ReadonlyMap<Kind, ChaosTask>
  readonly name: string
  readonly settings: ChaosSettings
  readonly say: (answer: Answer) => Promise<void>
}

/** More would tell nothing new while an engine is away. */
const mostUnderWay = 64

const againMs = 500

/** What says that nobody knows, or that it may be tried again. */
const temporary: readonly (string | undefined)[] = ['OUTCOME_UNKNOWN', 'UNAVAILABLE']

/** Submits tasks at a steady pace; every second one has a key, and is submitted until it is acknowledged. */
export const beSubmitter = ({ manager, tasks, name, settings, say }: Submitting): void => {
  const note = witness(settings.folder, 'submits', name)
  const chance = new Chance(settings.seed, name)
  let underWay = 0
  let count = 0

  const submitOnce = async (key: string | undefined, kind: Kind, given: ReturnType<typeof taskByChance>['given']): Promise<boolean> => {
    const task = tasks.get(kind)
    if (task === undefined) throw new Error(`there is no task ${kind}`)
    const keyed = key === undefined ? {} : { key }
    try {
      const { id } = await manager.submit(task, given, key === undefined ? {} : { idempotencyKey: key })
      note({ type: 'acknowledged', taskId: id, ...keyed, at: Date.now() })
      void say({ type: 'acknowledged', taskId: id })
      return true
    } catch (error) {
      const code = codeOf(error)
      if (code === 'CLOSED') return true
      const taskId = error instanceof Error && 'taskId' in error ? { taskId: String(error.taskId) } : {}
      note({ type: temporary.includes(code) ? 'unknown' : 'refused', ...taskId, ...keyed, at: Date.now(), why: String(error) })
      return !temporary.includes(code) || key === undefined
    }
  }
  const submit = async (): Promise<void> => {
    const key = count++ % 2 === 0 ? `${name}/${count}` : undefined
    const { kind, given } = taskByChance(chance, settings.longestBodyMs)
    underWay++
    while (!(await submitOnce(key, kind, given))) await sleep(againMs)
    underWay--
  }

  const pace = setInterval(() => {
    if (underWay < mostUnderWay) void submit()
  }, 1_000 / settings.tasksPerSecond)
  const tell = setInterval(() => void say({ type: 'busy', waitsFor: underWay, followed: 0 }), 300)
  process.on('message', (word: Word) => {
    if (word.type === 'enough') clearInterval(pace)
  })
  process.once('SIGTERM', () => {
    clearInterval(pace)
    clearInterval(tell)
  })
}
