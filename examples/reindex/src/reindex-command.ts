import { resolve } from 'node:path'
import process from 'node:process'
import type { Logger } from '@taskledger/core'
import { messageOf } from './error-message.ts'
import { startLocalCluster } from './local-cluster.ts'
import { findMailboxes } from './mail/find-mailboxes.ts'
import { Shutdown } from './program/shutdown.ts'
import { ReindexRun } from './reindex-run.ts'
import type { ReindexOptions } from './reindex.ts'
import { LiveScreen } from './terminal/live-screen.ts'
import { plainLines } from './terminal/plain-lines.ts'
import { counted, printable } from './terminal/printable.ts'
import { reportOf } from './terminal/report.ts'

export interface ReindexCommand extends Pick<ReindexOptions, 'beforeMessage'> {
  readonly paths: readonly string[]
  /** The folder of the index, as the user gave it. */
  readonly index: string
  /** A line about this run for the user. */
  readonly note?: string
}

/** How long running mailboxes may go on after the first Ctrl-C. Each message takes a fraction of this time. */
const drainMs = 2_000

const { stdout, stderr, stdin } = process
const say = (line: string): void => void stdout.write(`${line}\n`)

/** Reindexes, shows the progress, and gives the exit code: 1 where a mailbox failed. */
export const reindexCommand = async ({ paths, index, note, beforeMessage }: ReindexCommand): Promise<number> => {
  const { mailboxes, unreadable } = await findMailboxes(paths)
  const notices = [...unreadable]
  const isLive = stdout.isTTY && process.env['TERM'] !== 'dumb'
  const notice = (line: string): void => void (isLive ? notices.push(line) : stderr.write(`${line}\n`))
  const cluster = await startLocalCluster({
    index: resolve(index),
    logger: loggerTo(notice),
    ...(beforeMessage === undefined ? {} : { beforeMessage }),
  })
  const run = new ReindexRun(cluster, mailboxes)
  const drained = Promise.withResolvers<void>()
  const shutdown = new Shutdown()
  let screen: LiveScreen | undefined
  shutdown.setActions({
    inOrder: () => {
      if (screen === undefined) say('Shutting down: running mailboxes have 2 s')
      else screen.stopping()
      cluster
        .drain(drainMs)
        .then(() => run.refresh())
        .then(drained.resolve, drained.reject)
    },
    atOnce: () => {
      screen?.close()
      stderr.write('Ended at once. The index keeps what was indexed; the next run continues with the rest.\n')
    },
  })
  try {
    if (isLive) {
      const cancel = (row: number): void => {
        run.cancel(row).catch((error: unknown) => notice(`could not cancel a mailbox: ${messageOf(error)}`))
      }
      const actions = { cancel, stop: () => shutdown.request('SIGINT') }
      screen = new LiveScreen({ run, index, output: stdout, input: stdin, actions, ...(note === undefined ? {} : { note }) })
    } else {
      say(`Reindexing ${counted(mailboxes.length, 'mailbox', 'mailboxes')} into ${printable(index)}`)
      if (note !== undefined) say(note)
      run.onChange = plainLines(run, say)
    }
    await Promise.race([run.follow(), drained.promise])
  } finally {
    screen?.close()
    await cluster.close()
    shutdown.release()
  }
  for (const line of notices) stderr.write(`${printable(line)}\n`)
  for (const line of reportOf(run)) say(line)
  if (shutdown.exitCode !== undefined) return shutdown.exitCode
  return run.rows.every(({ details }) => details?.status === 'completed' || details?.status === 'cancelled') ? 0 : 1
}

const loggerTo = (notice: (line: string) => void): Logger => {
  const nothing = (): void => {}
  const show = (fields: object, message: string): void => {
    // The run itself tells how attempts end.
    if ('attempt' in fields) return
    notice('err' in fields ? `${message}: ${messageOf(fields.err)}` : message)
  }
  return { debug: nothing, info: nothing, warn: show, error: show }
}
