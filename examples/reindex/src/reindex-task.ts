import { basename } from 'node:path'
import type { DeclaredTask } from '@taskledger/core'
import { declareTask } from '@taskledger/core'
import { z } from 'zod'
import { mailboxKinds } from './mail/mailbox.ts'

const mailbox = z.object({
  name: z.string().min(1),
  kind: z.enum(mailboxKinds),
  /** The absolute path, on a file system that every worker sees. */
  path: z.string().min(1),
})

const count = z.int().nonnegative()

const counts = z.object({
  /** Messages that were read. */
  done: count,
  /** Of these, messages new in the index. */
  indexed: count,
  /** Of these, messages that the index had already. */
  known: count,
  /** Of these, broken messages, indexed as far as possible. */
  broken: count,
  /** The first broken messages. */
  problems: z.array(z.object({ where: z.string(), why: z.string() })),
})

const progress = counts.extend({
  at: z.object({ position: count, size: count, after: z.string().optional() }),
  pass: count,
})

const result = counts.extend({
  /** Messages that are no longer in the mailbox, and were removed from the index. */
  removed: count,
})

/** The payload: the mailbox to reindex. */
export type MailboxToReindex = z.input<typeof mailbox>

/** The progress of a mailbox: enough to continue from there. */
export type ReindexProgress = z.infer<typeof progress>

/** The result of reindexing a mailbox. */
export type Reindexed = z.infer<typeof result>

/**
 * Reindexes one mailbox. Version 1 of the payload was `{ file }`, always an mbox: a stored task of that version still runs. A front-end submits
 * this declaration; workers add the body with `reindexer`.
 */
export const reindexMailbox: DeclaredTask<typeof mailbox, typeof result, typeof progress> = declareTask({
  type: 'reindex-mailbox',
  version: 2,
  payload: mailbox,
  result,
  progress,
  upcast: { 1: ({ file }: { readonly file: string }) => ({ name: basename(file), kind: 'mbox', path: file }) },
  queue: 'mailboxes',
  retry: { maxAttempts: 3, backoff: { initialMs: 500 } },
})
