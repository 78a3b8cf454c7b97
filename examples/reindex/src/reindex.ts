import { hash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TaskContext, TaskDefinition } from '@taskledger/core'
import { implementTask, NonRetryableError } from '@taskledger/core'
import { Batch } from './index/batch.ts'
import type { MailIndex } from './index/mail-index.ts'
import { reasonOf } from './mail/find-mailboxes.ts'
import type { Mailbox, RawMessage, StoredMessage } from './mail/mailbox.ts'
import type { MailParser } from './mail/mail-parser.ts'
import type { Mail } from './mail/parse-mail.ts'
import { readMailbox } from './mail/read-mailbox.ts'
import type { MailboxToReindex, Reindexed, ReindexProgress } from './reindex-task.ts'
import { reindexMailbox } from './reindex-task.ts'

/** A message that is about to be indexed. */
export interface Step {
  readonly mailbox: Mailbox
  readonly attempt: number
  /** Messages of the mailbox that were read before. */
  readonly done: number
}

export interface ReindexOptions {
  readonly index: MailIndex
  readonly parser: MailParser
  /** Awaited before each new message, for demonstrations and tests. An error fails the attempt. */
  readonly beforeMessage?: (step: Step, signal: AbortSignal) => Promise<void> | void
}

type Context = TaskContext<Mailbox, ReindexProgress>

/**
 * Reads a mailbox and adds its new messages to the index. An attempt that ends early keeps its messages in the index and its position in the
 * progress: the next attempt continues there.
 */
export const reindex = async (context: Context, { index, parser, beforeMessage }: ReindexOptions): Promise<Reindexed> => {
  const { payload: mailbox, signal, lastProgress, attempt } = context
  const resumed = lastProgress === undefined ? undefined : index.resume(mailbox, lastProgress.pass)
  const pass = resumed ?? index.begin(mailbox)
  const start = resumed === undefined ? undefined : lastProgress
  const batch = new Batch(index, pass, start, context.progress)
  try {
    for await (const message of readMailbox(mailbox, start?.at)) {
      if (signal.aborted) break
      await take(message, batch, async (raw, done) => {
        await beforeMessage?.({ mailbox, attempt, done }, signal)
        return parser.parse(raw, signal)
      })
      batch.reach(message.next)
      // Other tasks, cancellations and the screen run in between.
      await nextTurn()
    }
  } catch (error) {
    throw explained(error, mailbox)
  } finally {
    batch.commit()
  }
  signal.throwIfAborted()
  let removed = 0
  for (let rows = index.sweep(pass); rows > 0; rows = index.sweep(pass)) {
    removed += rows
    await nextTurn()
    signal.throwIfAborted()
  }
  return { ...batch.counts, removed }
}

const take = async (message: StoredMessage, batch: Batch, parse: (raw: RawMessage, done: number) => Promise<Mail>): Promise<void> => {
  const { where, flags } = message
  if (message.key !== undefined && batch.has(message.key)) return batch.keep({ key: message.key, place: where, flags })
  const raw = await readOrReport(message, batch)
  if (raw === undefined) return batch.pass()
  const key = message.key ?? hash('sha256', raw.bytes, 'base64url')
  if (batch.has(key)) return batch.keep({ key, place: where, flags })
  batch.add({ key, place: where, flags, mail: await parse(raw, batch.counts.done) })
}

/** A file that cannot be read is reported, and the others are still indexed. */
const readOrReport = async (message: StoredMessage, batch: Batch): Promise<RawMessage | undefined> => {
  try {
    return await message.read()
  } catch (error) {
    if (!isAccessDenied(error) && !['NOT_A_FILE', 'ELOOP'].includes(String(codeOf(error)))) throw error
    batch.report(message.where, [reasonOf(error)])
    return undefined
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

const isAccessDenied = (error: unknown): boolean => ['EACCES', 'EPERM', 'EISDIR'].includes(String(codeOf(error)))

/** An error that another attempt would meet again is final. */
const explained = (error: unknown, { path }: Mailbox): unknown =>
  isAccessDenied(error) || ['ENOENT', 'ENOTDIR', 'NOT_AN_MBOX'].includes(String(codeOf(error)))
    ? new NonRetryableError(`${path}: ${reasonOf(error)}`, { cause: error })
    : error

/** The task with its body, for nodes that have the index. */
export const reindexer = (options: ReindexOptions): TaskDefinition<MailboxToReindex, Reindexed, ReindexProgress> =>
  implementTask(reindexMailbox, (context) => reindex(context, options))
