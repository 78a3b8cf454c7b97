import type { TaskCreated, WorkMessage } from '@taskledger/core/ports'
import { firstEventIdOf } from '@taskledger/core/testing'
import type { Forgery, Lie } from '../plan/forgeries.ts'
import { serialQueue } from '../plan/plan.ts'
import type { SimulatedEngine } from './engine.ts'
import type { SimulatedTime } from './time.ts'

/** What a forger works with. */
interface ForgerParts {
  readonly forgeries: readonly Forgery[]
  readonly time: SimulatedTime
  readonly engine: SimulatedEngine
  /** Whether nothing may be sent any more: closing nodes take no messages. */
  isOver(): boolean
  trace(text: string): void
}

/** Somebody who may send messages to the queues, knows every event in the store, and is no node. */
export class Forger {
  readonly #parts: ForgerParts
  readonly #created: TaskCreated[] = []

  constructor(parts: ForgerParts) {
    this.#parts = parts
  }

  /** A task was created. */
  see(created: TaskCreated): void {
    const nth = this.#created.push(created) - 1
    for (const forgery of this.#parts.forgeries)
      if (forgery.nth === nth) this.#parts.time.schedule(forgery.afterMs, () => this.#send(forgery, created))
  }

  #send({ lie, isSigned }: Forgery, truth: TaskCreated): void {
    const { time, engine, isOver, trace } = this.#parts
    if (isOver()) return
    const told = this.#told(lie, truth)
    const created = isSigned ? { ...told, eventId: firstEventIdOf(told) } : told
    const message: WorkMessage = {
      taskId: truth.taskId,
      version: lie === 'times' ? 2 ** 53 : 1,
      sentAt: lie === 'times' ? Number.MAX_VALUE : time.now(),
      created,
    }
    trace(`a forged message about ${truth.taskId.slice(-8)}: ${lie}`)
    const { queue } = engine.messaging()
    void queue.send(lie === 'queue' ? created.queue : truth.queue, message)
  }

  #told(lie: Lie, truth: TaskCreated): TaskCreated {
    const forged = { ...truth.task, payload: { bodyMs: 1, failures: 0 } }
    switch (lie) {
      case 'payload':
        return { ...truth, task: forged }
      case 'type':
        return { ...truth, task: { ...truth.task, type: truth.task.type === 'nothing' ? 'slow' : 'nothing' } }
      case 'retry':
        return { ...truth, retry: { ...truth.retry, maxAttempts: 1_000, maxCrashes: 0 } }
      case 'queue':
        return { ...truth, queue: truth.queue === serialQueue ? 'default' : serialQueue }
      case 'other':
        return this.#created.find(({ taskId }) => taskId !== truth.taskId) ?? truth
      case 'early': {
        const { notBefore: _notBefore, ...rest } = truth
        return rest
      }
      case 'unkeyed': {
        const { idempotencyKey: _key, ...rest } = truth
        return { ...rest, task: forged }
      }
      case 'times':
        return truth
    }
  }
}
