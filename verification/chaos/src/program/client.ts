import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskManager } from '@taskledger/core'
import { evidenceWriter } from '../evidence/files.ts'
import type { ClientLine } from '../evidence/lines.ts'
import type { ChaosSettings } from '../settings.ts'
import type { FromChild, ToChild } from './messages.ts'
import { isTemporary, retryMs } from './retry.ts'

export interface ClientParts {
  readonly manager: TaskManager
  readonly name: string
  readonly settings: ChaosSettings
  readonly say: (message: FromChild) => Promise<void>
}

/** Awaits the tasks that it is sent, and cancels some. */
export const runClient = ({ manager, name, settings, say }: ClientParts): void => {
  const note = evidenceWriter(settings.folder, 'clients', name)
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
        if (!isTemporary(error)) {
          note({ type: 'refused', ...asked, at: Date.now(), why: String(error) })
          break
        }
        await sleep(retryMs)
      }
    }
    waitsFor--
  }

  process.on('message', (message: ToChild) => {
    if (message.type !== 'follow') return
    const { taskId, cancelAfterMs } = message
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
        const { outcome, details } = await handle.cancel({ reason: 'at random', by: name })
        return { type: 'cancelAnswered', taskId, process: name, at: Date.now(), outcome, status: details.status }
      })
    }, cancelAfterMs)
  })
  setInterval(() => void say({ type: 'busy', waitsFor, followed }), 300)
}
