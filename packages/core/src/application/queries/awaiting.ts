import { isFinalStatus } from '../../domain/task-status.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { TaskNotice } from '../../ports/event-bus.ts'
import { onAbort } from '../../ports/shared/on-abort.ts'
import type { NodeContext } from '../node/context.ts'

/** How often a waiter polls the store, in milliseconds: notices may be lost. */
const pollMs = 30_000

/** Waits for changes of one task until it is stopped. Register it before the first read, or a change between the two is missed. */
export class Waiter {
  readonly #stop: () => void
  readonly #signal: AbortSignal | undefined
  readonly #closed: AbortSignal
  readonly isWoken: (notice: TaskNotice) => boolean
  #woken = false
  #wake: (() => void) | undefined

  constructor(parts: {
    readonly closed: AbortSignal
    readonly signal: AbortSignal | undefined
    /** Whether a notice wakes this waiter. */
    readonly isWoken: (notice: TaskNotice) => boolean
    readonly stop: () => void
  }) {
    this.#closed = parts.closed
    this.#signal = parts.signal
    this.isWoken = parts.isWoken
    this.#stop = parts.stop
  }

  /** Ends the wait: the task may have changed, so read the store. */
  wake(): void {
    this.#woken = true
    this.#wake?.()
  }

  /** Resolves once the task may have changed; rejects with the reason of the caller's signal, or with `CLOSED`. */
  async change(): Promise<void> {
    if (!this.#woken && !this.#isOver()) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#wake = undefined
    this.#woken = false
    this.#signal?.throwIfAborted()
    this.#closed.throwIfAborted()
  }

  stop(): void {
    this.#stop()
  }

  #isOver(): boolean {
    return this.#closed.aborted || this.#signal?.aborted === true
  }
}

interface Watched {
  readonly waiters: Set<Waiter>
  cancelPoll: () => void
}

/** Wakes the waiters of a task: on a notice, after a gap of the bus, and at each poll. */
export class Awaiting {
  readonly #node: NodeContext
  readonly #watched = new Map<TaskId, Watched>()

  constructor(node: NodeContext) {
    this.#node = node
    node.closed.addEventListener('abort', () => this.wakeAll(), { once: true })
  }

  /** The number of tasks with a waiter. */
  get size(): number {
    return this.#watched.size
  }

  /** Registers a waiter for a task. The caller has to stop it. */
  waiter(taskId: TaskId, isWoken: (notice: TaskNotice) => boolean, signal?: AbortSignal): Waiter {
    let leave = (): void => {}
    const stop = (): void => {
      leave()
      this.#remove(taskId, waiter)
    }
    const waiter: Waiter = new Waiter({ closed: this.#node.closed, signal, isWoken, stop })
    if (signal !== undefined) leave = onAbort(signal, () => waiter.wake())
    const watched = this.#watched.get(taskId) ?? this.#watch(taskId)
    watched.waiters.add(waiter)
    return waiter
  }

  hear(notice: TaskNotice): void {
    for (const waiter of this.#watched.get(notice.taskId)?.waiters ?? []) if (waiter.isWoken(notice)) waiter.wake()
  }

  /** Wakes every waiter: notices may have been missed, or the node is closed. */
  wakeAll(): void {
    for (const { waiters } of this.#watched.values()) for (const waiter of waiters) waiter.wake()
  }

  #watch(taskId: TaskId): Watched {
    const watched: Watched = { waiters: new Set(), cancelPoll: () => {} }
    const poll = (): void => {
      // Jitter: waiters that began together do not poll together.
      watched.cancelPoll = this.#node.clock.schedule(pollMs * (0.75 + this.#node.random() / 2), () => {
        for (const waiter of watched.waiters) waiter.wake()
        poll()
      })
    }
    poll()
    this.#watched.set(taskId, watched)
    return watched
  }

  #remove(taskId: TaskId, waiter: Waiter): void {
    const watched = this.#watched.get(taskId)
    if (watched === undefined || !watched.waiters.delete(waiter) || watched.waiters.size > 0) return
    watched.cancelPoll()
    this.#watched.delete(taskId)
  }
}

/** Whether a notice wakes a waiter for the end of a task. */
export const isEnd = (notice: TaskNotice): boolean => isFinalStatus(notice.status)
