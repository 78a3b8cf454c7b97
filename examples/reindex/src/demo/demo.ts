import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openIndex } from '../index/open-index.ts'
import type { ReindexOptions } from '../reindex.ts'
import { makeArchive } from './make-archive.ts'

/** The mailboxes of the example, and some that it makes in the folder of the index. */
export const demoMail = (index: string): readonly string[] => {
  // Fails with the usual message if the folder cannot be written.
  openIndex(index).close()
  return [fileURLToPath(new URL('../../mailboxes', import.meta.url)), makeArchive(join(index, 'archive'))]
}

const failing = 'crew-2024.mbox'
const failsAfter = 200

/** The line about it for the user. */
export const demoNote = (paceMs: number): string =>
  `For demonstration, ${paceMs === 0 ? '' : `each new message waits ${paceMs} ms, and `}${failing} fails once on purpose after ${failsAfter} messages.`

/** Slows the job down so that it can be watched, and fails one mailbox once, so that its second attempt can be seen. */
export const demoSteps =
  (paceMs: number): NonNullable<ReindexOptions['beforeMessage']> =>
  async ({ mailbox, attempt, done }, signal) => {
    if (paceMs > 0) await sleep(paceMs, undefined, { signal })
    if (attempt === 1 && done === failsAfter && basename(mailbox.path) === failing) throw new Error('failed on purpose')
  }
