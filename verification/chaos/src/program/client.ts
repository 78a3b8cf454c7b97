import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskManager } from '@taskledger/core'
import { codeOf } from '@taskledger/core'
import type { ClientLine } from '../evidence.ts'
import { witness } from '../evidence.ts'
import type { ChaosSettings } from '../settings.ts'
import type { Answer, Word } from './messages.ts'

export interface Following {
  readonly manager: TaskManager
  readonly name: string
  readonly settings: ChaosSettings
  readonly say: (answer: Answer) => Promise<void>
}

const againMs = 500

const temporary: readonly (string | undefined)[] = ['OUTCOME_UNKNOWN', 'UNAVAILABLE']

/** Awaits the tasks that it is told of, and cancels some. */
export const beClient = ({ manager, name, settings, say }: Following): void => {
  const note = witness(settings.folder, 'clients', name)
  let waitsFor = 0
  let followed = 0

  const ask = async (what: 'await' | 'cancel', taskId: string, answer: () => Promise<ClientLine>): Promise<void> => {
    const asked = { what, taskId, process: name }
    note({ type: 'asked', ...asked, at: Date.now() })
    waitsFor++
    for (;;) {
      try {
        note(await answer())
        break
      } catch (error) {
        const code = codeOf(error)
        if (!temporary.includes(code)) {
          note({ type: 'askedInVain', ...asked, at: Date.now(), why: String(error) })
          break
        }
        await sleep(againMs)
      }
    }
    waitsFor--
  }

  process.on('message', (word: Word) => {
    if (word.type !== 'follow') return
    const { taskId, cancelAfterMs } = word
    const handle = manager.task(taskId)
    followed++
    void ask('await', taskId, async () => {
      const { status, result } = await handle.finished()
      return { type: 'awaited', taskId, process: name, at: Date.now(), status, ...(result === undefined ? {} : { result }) }
    })
    if (cancelAfterMs === undefined) return
    waitsFor++
    setTimeout(() => {
      waitsFor--
      void ask('cancel', taskId, async () => {
        const { outcome, details } = await handle.cancel({ reason: 'by chance', by: name })
        return { type: 'cancelAnswered', taskId, process: name, at: Date.now(), outcome, status: details.status }
      })
    }, cancelAfterMs)
  })
  setInterval(() => void say({ type: 'busy', waitsFor, followed }), 300)
}
