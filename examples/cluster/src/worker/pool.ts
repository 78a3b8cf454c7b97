import { join } from 'node:path'
import type { WorkerSettings } from './messages.ts'
import { WorkerProcess } from './process.ts'

export interface WorkerPoolOptions extends Omit<WorkerSettings, 'name'> {
  /** The folder of the logs. */
  readonly logs: string
  /** Hears of each new worker, and of each change of its state. */
  readonly onChange: (worker: WorkerProcess) => void
}

/** One for each key. */
export const maxWorkers = 9

/** How long a worker may take to stop after its drain before it is killed, in milliseconds. */
const stopMs = 15_000

/** The worker processes of a run, also those that are gone. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions
  readonly #workers: WorkerProcess[] = []

  constructor(options: WorkerPoolOptions) {
    this.#options = options
  }

  /** All workers, in the order of their starts. */
  get workers(): readonly WorkerProcess[] {
    return this.#workers
  }

  /** Starts another worker; undefined if there were {@link maxWorkers} already. */
  add(): WorkerProcess | undefined {
    if (this.#workers.length >= maxWorkers) return undefined
    const { logs, onChange, ...settings } = this.#options
    const name = `worker-${this.#workers.length + 1}`
    const worker = new WorkerProcess({ ...settings, name }, join(logs, `${name}.log`), onChange)
    this.#workers.push(worker)
    onChange(worker)
    return worker
  }

  /** Stops all workers in order. Resolves once they are gone. */
  async stop(): Promise<void> {
    await Promise.all(this.#workers.filter(({ isHere }) => isHere).map((worker) => this.stopOne(worker)))
  }

  async stopOne(worker: WorkerProcess): Promise<void> {
    worker.stop()
    const tooLong = setTimeout(() => worker.kill(), this.#options.drainMs + stopMs)
    await worker.ended
    clearTimeout(tooLong)
  }

  /** Kills all workers. */
  kill(): void {
    for (const worker of this.#workers) if (worker.isHere) worker.kill()
  }
}
