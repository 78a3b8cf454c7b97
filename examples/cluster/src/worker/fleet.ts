import { join } from 'node:path'
import type { WorkerSettings } from './messages.ts'
import { WorkerProcess } from './worker-process.ts'

export interface FleetOptions extends Omit<WorkerSettings, 'name'> {
  /** Where the workers' logs go. */
  readonly logs: string
  /** Hears of a worker that came, changed or went. */
  readonly onChange: (worker: WorkerProcess) => void
}

/** More than a key each would be for another screen. */
export const mostWorkers = 9

/** How long a worker that was told to stop may take beyond its drain before it is killed, in milliseconds. */
const patienceMs = 15_000

/** The worker processes of this machine: those that run, and those that did. */
export class Fleet {
  readonly #options: FleetOptions
  readonly #workers: WorkerProcess[] = []

  constructor(options: FleetOptions) {
    this.#options = options
  }

  /** All that there were, in the order in which they came. */
  get workers(): readonly WorkerProcess[] {
    return this.#workers
  }

  /** Starts another one, or gives nothing where there were as many as there may be. */
  add(): WorkerProcess | undefined {
    if (this.#workers.length >= mostWorkers) return undefined
    const { logs, onChange, ...settings } = this.#options
    const name = `worker-${this.#workers.length + 1}`
    const worker = new WorkerProcess({ ...settings, name }, join(logs, `${name}.log`), onChange)
    this.#workers.push(worker)
    onChange(worker)
    return worker
  }

  /** Stops all of them in order; resolves once they are gone. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.filter(({ isHere }) => isHere).map((worker) => this.stopOne(worker)))
  }

  async stopOne(worker: WorkerProcess): Promise<void> {
    worker.stop()
    const tooLong = setTimeout(() => worker.kill(), this.#options.drainMs + patienceMs)
    await worker.ended
    clearTimeout(tooLong)
  }

  /** Ends all of them at once. */
  kill(): void {
    for (const worker of this.#workers) if (worker.isHere) worker.kill()
  }
}
