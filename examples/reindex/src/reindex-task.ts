import { basename } from 'node:path'
import type { DeclaredTask, TaskDefinition } from '@taskledger/core'
import { declareTask, implementTask } from '@taskledger/core'
import { z } from 'zod'
import { mailboxKinds } from './mail/mailbox.ts'
import type { ReindexOptions } from './reindex.ts'
import { reindex } from './reindex.ts'

const mailbox = z.object({
  name: z.string().min(1),
  kind: z.enum(mailboxKinds),
  /** The absolute path, on a file system that every worker sees. */
  path: z.string().min(1),
})

const count = z.int().nonnegative()

const counts = z.object({
  /** Messages that were gone through. */
  done: count,
  /** Of these, new in the index. */
  indexed: count,
  /** Of these, in the index already. */
  known: count,
  /** Of these, with something wrong: indexed as far as possible. */
  broken: count,
  /** The first of the broken ones. */
  problems: z.array(z.object({ where: z.string(), why: z.string() })),
})

const progress = counts.extend({
  at: z.object({ position: count, size: count, after: z.string().optional() }),
  pass: count,
})

const result = counts.extend({
  /** Messages that are no longer in the mailbox, and now not in the index either. */
  removed: count,
})

/** How far a mailbox is reindexed: enough to go on from there. */
export type ReindexProgress = z.infer<typeof progress>

/** What came of reindexing a mailbox. */
export type Reindexed = z.infer<typeof result>

/**
 * Reindexes one mailbox. Version 1 of the payload was an mbox only, `{ file }`; a task that was stored then can still be run.
 * A front-end submits it as it stands here; workers give it its body with {@link reindexer}.
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

/** The task with its body, for nodes that have the index at hand. */
export const reindexer = (options: ReindexOptions): TaskDefinition<z.input<typeof mailbox>, Reindexed, ReindexProgress> =>
  implementTask(reindexMailbox, (context) => reindex(context, options))
