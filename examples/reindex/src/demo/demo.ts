import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openIndex } from '../index/open-index.ts'
import type { ReindexOptions } from '../reindex.ts'
import { makeArchive } from './make-archive.ts'

/** The mail that the example brings, and some that it makes in the folder of the index. */
export const demoMail = (index: string): readonly string[] => {
  // A folder that cannot be written is told of as for any other mail.
  openIndex(index).close()
  return [fileURLToPath(new URL('../../mailboxes', import.meta.url)), makeArchive(join(index, 'archive'))]
}

const stumbling = 'crew-2024.mbox'
const stumblesAfter = 200

/** What the screen says of it. */
export const demoNote = (paceMs: number): string =>
  `For show: ${paceMs === 0 ? '' : `each new message waits ${paceMs} ms; `}${stumbling} fails once on purpose after ${stumblesAfter} messages.`

/** Slows the job down so that it can be watched, and lets one mailbox stumble, so that a second attempt can be. */
export const demoSteps =
  (paceMs: number): NonNullable<ReindexOptions['beforeMessage']> =>
  async ({ mailbox, attempt, done }, signal) => {
    if (paceMs > 0) await sleep(paceMs, undefined, { signal })
    if (attempt === 1 && done === stumblesAfter && basename(mailbox.path) === stumbling) throw new Error('stumbled on purpose')
  }
