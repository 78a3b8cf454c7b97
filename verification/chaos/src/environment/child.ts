import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endWithThisProcess } from '@taskledger/servers'
import type { Ended } from '../evidence/lines.ts'
import type { FromChild, ProcessOptions, ToChild } from '../program/messages.ts'

const program = fileURLToPath(new URL('../program/main.ts', import.meta.url))

/** How long a process may take to start, in milliseconds: an engine may be away. */
const startMs = 120_000

/** A process of the run, as its parent sees it. It ends with the parent, even while it is frozen. */
export class Child {
  readonly name: string
  isReady = false
  /** The latest report of the process. */
  #busy: { readonly waitsFor: number; readonly followed: number } = { waitsFor: 1, followed: 0 }
  /** How many tasks it was sent to follow. */
  #sent = 0
  readonly #child: ChildProcess
  readonly #ended = Promise.withResolvers<Ended>()
  readonly #onAcknowledged: (taskId: string) => void
  #expected: 'killed' | 'closed' | undefined
  #failure: string | undefined

  constructor(options: ProcessOptions, onAcknowledged: (taskId: string) => void) {
    this.name = options.process
    this.#onAcknowledged = onAcknowledged
    const log = openSync(join(options.settings.folder, `${this.name}.log`), 'a')
    // In a process group of its own, so that a Ctrl-C of the terminal only reaches the parent.
    this.#child = fork(program, { execArgv: [], stdio: ['ignore', log, log, 'ipc'], detached: true })
    closeSync(log)
    const guard = endWithThisProcess(this.#child.pid ?? 0)
    const tooLong = setTimeout(() => {
      this.#failure = `did not start within ${startMs / 1000} s`
      this.#child.kill('SIGKILL')
    }, startMs)
    this.#child.on('message', (message: FromChild) => {
      if (message.type === 'ready') {
        clearTimeout(tooLong)
        this.isReady = true
      }
      this.#hear(message)
    })
    this.#child.once('exit', (code, signal) => {
      clearTimeout(tooLong)
      guard.release()
      this.#end(code, signal)
    })
    this.#child.send(options, () => {})
  }

  /** Resolves once the process is gone. */
  get ended(): Promise<Ended> {
    return this.#ended.promise
  }

  /** Whether it waits for nothing, and has received every task that it was sent to follow. */
  get isIdle(): boolean {
    return this.#busy.waitsFor === 0 && this.#busy.followed === this.#sent
  }

  send(message: ToChild): void {
    if (message.type === 'follow') this.#sent++
    this.#child.send(message, () => {})
  }

  kill(): void {
    this.#expected = 'killed'
    this.#child.kill('SIGKILL')
  }

  stop(): void {
    this.#expected ??= 'closed'
    this.#child.kill('SIGTERM')
  }

  freeze(): void {
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child.kill('SIGCONT')
  }

  #hear(message: FromChild): void {
    if (message.type === 'acknowledged') this.#onAcknowledged(message.taskId)
    else if (message.type === 'busy') this.#busy = message
    else if (message.type === 'neverStarted') this.#failure = message.why
  }

  #end(code: number | null, signal: NodeJS.Signals | null): void {
    const isAsExpected = this.#expected === 'killed' || (this.#expected === 'closed' && (code === 0 || !this.isReady))
    const why = isAsExpected && this.#expected !== undefined ? this.#expected : this.isReady ? 'crashed' : 'neverStarted'
    const note = this.#failure ?? (signal === null ? `exit code ${code}` : signal)
    this.#ended.resolve({ type: 'ended', process: this.name, at: Date.now(), why, note })
  }
}
