import { resolve } from 'node:path'
import type { Logger } from '@taskledger/core'
import { startLocalCluster } from './local-cluster.ts'
import type { LocalCluster } from './local-cluster.ts'
import { findMailboxes } from './mail/find-mailboxes.ts'
import { ReindexRun } from './reindex-run.ts'
import type { ReindexOptions } from './reindex.ts'
import { LiveScreen } from './terminal/live-screen.ts'
import { plainLines } from './terminal/plain-lines.ts'
import { counted, printable } from './terminal/printable.ts'
import { reportOf } from './terminal/report.ts'

export interface ReindexCommand extends Pick<ReindexOptions, 'beforeMessage'> {
  readonly paths: readonly string[]
  /** The folder of the index, as it was given. */
  readonly index: string
  /** What the user should know about this run. */
  readonly note?: string
}

/** How long running mailboxes may go on after the first Ctrl-C. They are at a message's end within a fraction of it. */
const drainMs = 2_000

/** What a process says that a signal ended: 128 and the number of the signal. */
const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

const { stdout, stderr, stdin } = process
const say = (line: string): void => void stdout.write(`${line}\n`)

/** Reindexes, shows how far it is, and gives the exit code: 1 where a mailbox failed. */
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
  const stopping = new Stopping(cluster, run)
  let screen: LiveScreen | undefined
  const cancel = (row: number): void => {
    run.cancel(row).catch((error: unknown) => notice(`could not cancel: ${messageOf(error)}`))
  }
  const release = stopping.listen(() => screen)
  try {
    if (isLive) {
      const actions = { cancel, stop: () => stopping.stop('SIGINT') }
      screen = new LiveScreen({ run, index, output: stdout, input: stdin, actions, ...(note === undefined ? {} : { note }) })
    } else {
      say(`Reindexing ${counted(mailboxes.length, 'mailbox', 'mailboxes')} into ${printable(index)}`)
      if (note !== undefined) say(note)
      run.onChange = plainLines(run, say)
    }
    await Promise.race([run.follow(), stopping.stopped])
  } finally {
    screen?.close()
    await cluster.close()
    release()
  }
  for (const line of notices) stderr.write(`${printable(line)}\n`)
  for (const line of reportOf(run)) say(line)
  if (stopping.signal !== undefined) return signals[stopping.signal]
  return run.rows.every(({ details }) => details?.status === 'completed' || details?.status === 'cancelled') ? 0 : 1
}

/** Shuts down in order when it is asked to, and at once when it is asked again. */
class Stopping {
  readonly #cluster: LocalCluster
  readonly #run: ReindexRun
  readonly #stopped = Promise.withResolvers<void>()
  #screen: () => LiveScreen | undefined = () => undefined
  signal: keyof typeof signals | undefined

  constructor(cluster: LocalCluster, run: ReindexRun) {
    this.#cluster = cluster
    this.#run = run
  }

  /** Resolves once nothing runs any more. */
  get stopped(): Promise<void> {
    return this.#stopped.promise
  }

  /** Heeds the signals of the process, until it is released. */
  listen(screen: () => LiveScreen | undefined): () => void {
    this.#screen = screen
    const names = Object.keys(signals) as (keyof typeof signals)[]
    const heed = (name: keyof typeof signals): void => this.stop(name)
    for (const name of names) process.on(name, heed)
    return () => {
      for (const name of names) process.off(name, heed)
    }
  }

  stop(signal: keyof typeof signals): void {
    if (this.signal !== undefined) {
      this.#screen()?.close()
      stderr.write('Ended at once. What was indexed stays; the next run goes on with the rest.\n')
      process.exit(signals[signal])
    }
    this.signal = signal
    const screen = this.#screen()
    if (screen === undefined) say('Shutting down: 2 s for what runs')
    else screen.stopping()
    this.#cluster
      .drain(drainMs)
      .then(() => this.#run.refresh())
      .then(this.#stopped.resolve, this.#stopped.reject)
  }
}

const loggerTo = (notice: (line: string) => void): Logger => {
  const nothing = (): void => {}
  const tell = (fields: object, message: string): void => {
    const error = 'err' in fields ? fields.err : 'error' in fields ? fields.error : undefined
    notice(error === undefined ? message : `${message}: ${messageOf(error)}`)
  }
  return { debug: nothing, info: nothing, warn: tell, error: tell }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
