import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLogger } from '@taskledger/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openExistingIndex } from '../src/job.ts'
import type { ReindexOptions } from '../src/job.ts'
import type { LocalCluster } from '../src/local-cluster.ts'
import { startLocalCluster } from '../src/local-cluster.ts'
import { findMailboxes } from '../src/mail/find-mailboxes.ts'
import { countsOf, ReindexRun } from '../src/reindex-run.ts'
import { reportOf } from '../src/terminal/report.ts'
import { mails, mbox, write } from './mail-on-disk.ts'

const timeout = 60_000

let folder: string
let cluster: LocalCluster | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reindex-'))
})
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
  rmSync(folder, { recursive: true })
})

const start = async (
  files: Readonly<Record<string, string>>,
  beforeMessage: NonNullable<ReindexOptions['beforeMessage']>,
): Promise<ReindexRun> => {
  write(folder, files)
  cluster = await startLocalCluster({ index: join(folder, 'index'), logger: silentLogger, beforeMessage })
  const { mailboxes } = await findMailboxes([join(folder, 'mail')])
  return new ReindexRun(cluster, mailboxes)
}

const indexed = (): number => {
  using index = openExistingIndex(join(folder, 'index'))
  return index.size
}

describe('a front-end and two workers', { timeout }, () => {
  it('share the mailboxes', async () => {
    const files = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`mail/${at}.mbox`, mbox(...mails(10, `box ${at}, message`))]))
    const running = new Set<string>()
    let maxRunning = 0
    const four = Promise.withResolvers<void>()
    const run = await start(files, async ({ mailbox, done }) => {
      running.add(mailbox.name)
      maxRunning = Math.max(maxRunning, running.size)
      // The first ones wait for one another.
      if (running.size === 4) four.resolve()
      await four.promise
      if (done === 9) running.delete(mailbox.name)
    })
    await run.follow()
    expect(indexed()).toBe(80)
    expect(maxRunning).toBe(4)
    const shares = [...run.shares.values()]
    expect(shares.map(({ messages }) => messages).reduce((a, b) => a + b)).toBe(80)
    expect(shares.every(({ mailboxes }) => mailboxes > 0)).toBe(true)
  })

  it('give a failed mailbox a second attempt, which continues where the first one stopped', async () => {
    const parsed: string[] = []
    const run = await start({ 'mail/inbox.mbox': mbox(...mails(20)) }, ({ attempt, done }) => {
      if (attempt === 1 && done === 12) throw new Error('stumbled')
      parsed.push(`${attempt}: ${done}`)
    })
    await run.follow()
    expect(run.rows[0]?.details).toMatchObject({ status: 'completed', attempt: 2, result: { done: 20, indexed: 20, known: 0 } })
    expect(parsed).toEqual(Array.from({ length: 20 }, (_, done) => `${done < 12 ? 1 : 2}: ${done}`))
    expect(indexed()).toBe(20)
  })

  it('report a mailbox that fails, and continue with the others', async () => {
    const run = await start({ 'mail/bad.mbox': 'no mail at all', 'mail/good.mbox': mbox(...mails(3)) }, () => {})
    await run.follow()
    expect(run.rows.map(({ details }) => details?.status)).toEqual(['failed', 'completed'])
    const path = run.rows[0]?.mailbox.path ?? ''
    const report = reportOf(run)
    expect(report[0]).toContain(
      `mail/bad.mbox: failed after 1 attempt: ${path}: it is not an mbox: the first line does not begin with "From "`,
    )
    expect(report).toContain('2 mailboxes: 1 done, 1 failed')
    expect(report).toContain('3 messages: 3 new, 0 known, 0 broken')
  })

  it('cancel a running mailbox at the next message, and keep the indexed messages', async () => {
    const run: ReindexRun = await start({ 'mail/inbox.mbox': mbox(...mails(50)) }, async ({ done }, signal) => {
      if (done === 10) {
        await run.cancel(0)
        // Only the signal ends this wait: the notice has to reach the worker.
        await sleep(timeout, undefined, { signal })
      }
    })
    await run.follow()
    expect(run.rows[0]?.details).toMatchObject({ status: 'cancelled', cancelRequestedBy: 'you', attempt: 1 })
    expect(countsOf(run.rows[0]?.details)).toMatchObject({ done: 10, indexed: 10 })
    expect(indexed()).toBe(10)
    expect(reportOf(run)[0]).toContain('cancelled after 10 messages, 10 new, 0 known, 0 broken')
  })

  it('release a mailbox that does not end during the shutdown', async () => {
    const reached = Promise.withResolvers<void>()
    const run = await start({ 'mail/inbox.mbox': mbox(...mails(50)) }, async ({ done }, signal) => {
      if (done < 10) return
      reached.resolve()
      await sleep(timeout, undefined, { signal })
    })
    const followed = run.follow()
    await reached.promise
    await cluster?.drain(0)
    await run.refresh()
    expect(run.rows[0]?.details).toMatchObject({ status: 'waiting', attempt: 1 })
    expect(indexed()).toBe(10)
    expect(reportOf(run)[0]).toContain('not finished: 10 messages, 10 new, 0 known, 0 broken; run again to continue')
    await cluster?.close()
    await followed
  })
})
