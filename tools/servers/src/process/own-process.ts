import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../errors.ts'
import { groupGone, guard, signalGroup } from './guard.ts'

export interface OwnProcessOptions {
  /** The name in messages: `Cassandra`. */
  readonly what: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** The file that gets its output. */
  readonly logFile: string
  /** Resolves once the process answers, and rejects until then. */
  readonly probe: () => Promise<unknown>
  readonly startTimeoutMs: number
}

/** A child process in a process group of its own, which may be started many times on the same data. */
export class OwnProcess {
  readonly #options: OwnProcessOptions
  #running: { readonly pid: number; readonly child: ChildProcess; readonly gone: Promise<unknown>; isGone: boolean } | undefined

  constructor(options: OwnProcessOptions) {
    this.#options = options
  }

  get pid(): number {
    if (this.#running === undefined || this.#running.isGone) throw new Error(`${this.#options.what} is not running`)
    return this.#running.pid
  }

  get isRunning(): boolean {
    return this.#running !== undefined && !this.#running.isGone
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const { what, command, args, env, cwd, logFile, probe, startTimeoutMs } = this.#options
    if (this.isRunning) throw new Error(`${what} is running already: stop it first`)
    await using log = await open(logFile, 'a')
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', log.fd, log.fd] })
    const { pid } = child
    if (pid === undefined) throw (await once(child, 'error'))[0]
    const { release } = guard(pid)
    const running = { pid, child, isGone: false, gone: once(child, 'exit') }
    this.#running = running
    child.once('exit', () => {
      running.isGone = true
      release()
    })

    const deadline = performance.now() + startTimeoutMs
    for (;;) {
      try {
        await probe()
        if (!running.isGone) {
          // This process may end without a stop: the guard then ends the child.
          child.unref()
          return
        }
      } catch (error) {
        if (performance.now() > deadline) {
          await this.kill()
          throw new Error(`${what} does not answer within ${startTimeoutMs / 1000} s: ${reasonOf(error)}\n${await this.#endOfLog()}`, {
            cause: error,
          })
        }
      }
      if (running.isGone) throw new Error(`${what} ended while it was starting\n${await this.#endOfLog()}`)
      await sleep(150)
    }
  }

  /** SIGKILL, to the process and its children. Resolves when they are gone, at once where they were gone already. */
  async kill(): Promise<void> {
    if (this.#running === undefined || this.#running.isGone) return
    const { pid, child, gone } = this.#running
    child.ref()
    signalGroup(pid, 'SIGKILL')
    await gone
    await groupGone(pid)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    signalGroup(this.pid, signal)
  }

  async #endOfLog(): Promise<string> {
    const log = await readFile(this.#options.logFile, 'utf8')
    return log.trimEnd().split('\n').slice(-20).join('\n')
  }
}
