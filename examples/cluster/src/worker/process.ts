import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Correctable } from '../errors.ts'
import type { NodeState } from '../screen/view.ts'
import type { WorkerReport, WorkerSettings } from './messages.ts'

const program = fileURLToPath(new URL('main.ts', import.meta.url))

/** A worker in a process of its own, as its parent sees it. */
export class WorkerProcess {
  readonly name: string
  /** The path of its log. */
  readonly logFile: string
  readonly #child: ChildProcess
  readonly #onChange: (worker: WorkerProcess) => void
  readonly #ready = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<void>()
  #state: NodeState = 'starting'
  #since = Date.now()
  #nodeId: string | undefined
  #queues: Readonly<Record<string, number>> = {}
  #failure: string | undefined
  #note: string | undefined

  constructor(settings: WorkerSettings, logFile: string, onChange: (worker: WorkerProcess) => void) {
    this.name = settings.name
    this.logFile = logFile
    this.#onChange = onChange
    const log = openSync(logFile, 'a')
    // In a process group of its own, if possible: a Ctrl-C of the terminal then only reaches the parent.
    this.#child = fork(program, { execArgv: [], stdio: ['ignore', log, log, 'ipc'], detached: process.platform !== 'win32' })
    closeSync(log)
    this.#child.on('message', (report: WorkerReport) => this.#hear(report))
    this.#child.once('exit', (code, signal) => this.#end(code, signal))
    this.#child.once('error', (error) => {
      this.#failure = error.message
      this.#end(null, null)
    })
    // There may be no wait for it.
    this.#ready.promise.catch(() => {})
    this.#child.send(settings, () => {})
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Undefined before it is ready. */
  get nodeId(): string | undefined {
    return this.#nodeId
  }

  get queues(): Readonly<Record<string, number>> {
    return this.#queues
  }

  get state(): NodeState {
    return this.#state
  }

  /** When its state began. */
  get since(): number {
    return this.#since
  }

  /** The details of its state. */
  get note(): string | undefined {
    return this.#note
  }

  get isHere(): boolean {
    return this.#state !== 'gone' && this.#state !== 'lost'
  }

  /** Resolves once it takes tasks; rejects with a {@link Correctable} if it ends before. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Resolves once the process is gone. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** Stops it in order: it takes no more tasks, and releases those that do not end soon. */
  stop(): void {
    if (this.#state === 'alive' || this.#state === 'starting') this.#become('draining', 'then releases its tasks')
    this.#child.kill('SIGTERM')
  }

  /** SIGKILL. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #hear(report: WorkerReport): void {
    if (report.type === 'failed') {
      this.#failure = report.message
      return
    }
    this.#nodeId = report.nodeId
    this.#queues = report.queues
    if (this.#state === 'starting') this.#become('alive')
    this.#ready.resolve()
  }

  #end(code: number | null, signal: NodeJS.Signals | null): void {
    if (!this.isHere) return
    const why = this.#failure ?? (signal === null ? `exit code ${code}` : signal)
    // Before it has started it has no handler for SIGTERM.
    const isInOrder = code === 0 || (signal === 'SIGTERM' && this.#nodeId === undefined)
    if (isInOrder) this.#become('gone')
    else this.#become('lost', why)
    this.#ready.reject(new Correctable(`${this.name} ended before it was ready: ${why}`))
    this.#ended.resolve()
  }

  #become(state: NodeState, note?: string): void {
    this.#state = state
    this.#note = note
    this.#since = Date.now()
    this.#onChange(this)
  }
}
