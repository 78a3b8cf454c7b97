import { misuse } from '../../ports/shared/errors.ts'
import type { TaskNotice } from '../../ports/event-bus.ts'
import type { TaskWorkerOptions } from './settings.ts'
import { workerSettings } from './settings.ts'
import type { WorkerParts } from './worker.ts'
import { TaskWorker } from './worker.ts'

/** The worker of this node, if it has one. A front-end has no worker; another worker may follow a closed one. */
export class AttachedWorker {
  readonly #parts: Omit<WorkerParts, 'settings'>
  #worker: TaskWorker | undefined

  constructor(parts: Omit<WorkerParts, 'settings'>) {
    this.#parts = parts
  }

  /** The latest worker, open or closed. */
  get current(): TaskWorker | undefined {
    return this.#worker
  }

  get isOpen(): boolean {
    return this.#worker !== undefined && this.#worker.status !== 'closed'
  }

  /** How many tasks run here. */
  get running(): number {
    return this.#worker?.running.length ?? 0
  }

  /** For each queue, the number of slots: 0 while the worker is paused or draining. A closed worker has no queues. */
  get slots(): Readonly<Record<string, number>> {
    const worker = this.#worker
    if (worker === undefined || worker.status === 'closed') return {}
    if (worker.status === 'running') return worker.slots
    return Object.fromEntries(Object.keys(worker.slots).map((queue) => [queue, 0]))
  }

  /** For each queue, the latest `sentAt` of a message delivered to this node. */
  get delivered(): Readonly<Record<string, number>> {
    return this.#worker?.delivered ?? {}
  }

  /**
   * Makes a worker, which takes tasks once it is started.
   *
   * @throws `MISUSE` if this node has an open worker, or an option is wrong.
   */
  attach(options: TaskWorkerOptions): TaskWorker {
    if (this.isOpen) throw misuse('this node has a worker already: close it first, or pause and resume it')
    this.#worker = new TaskWorker({ ...this.#parts, settings: workerSettings(options, this.#parts.registry) })
    return this.#worker
  }

  hear(notice: TaskNotice): void {
    this.#worker?.hear(notice)
  }

  /** Reads every running task again: notices may have been missed. */
  lookAtAll(): void {
    this.#worker?.lookAtAll()
  }

  leaseChanged(): void {
    this.#worker?.leaseChanged()
  }

  /** Stops the running tasks. `isCrash` says whether this process stood still. */
  loseLease(isCrash: boolean): void {
    this.#worker?.loseLease(isCrash)
  }

  async close(options: { readonly drainMs?: number | undefined }): Promise<void> {
    await this.#worker?.close(options)
  }
}
