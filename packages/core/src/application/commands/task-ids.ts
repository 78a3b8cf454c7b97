import { v5, v7 } from 'uuid'
import type { TaskId } from '../../domain/task-id.ts'
import type { Clock } from '../../ports/shared/clock.ts'

/** The maximum number of tasks in a cohort. */
const cohortSize = 32

/** How long a cohort takes new tasks, in milliseconds. */
const cohortMs = 50

/** Namespace of the ids that are derived from an idempotency key (RFC 9562, version 5). */
const keyNamespace = '7f1f5f5e-6d7c-4f0c-9a64-1c7a3f1f0a52'

/** Draws task ids in cohorts: ids drawn within a moment share all but their last 16 bits. */
export class TaskIds {
  readonly #clock: Clock
  readonly #random: (() => number) | undefined
  #prefix = ''
  #drawn = cohortSize
  #openedAt = 0

  /** With `random` (in [0, 1)) the ids are reproducible; without it they come from the platform. */
  constructor(clock: Clock, random?: () => number) {
    this.#clock = clock
    this.#random = random
  }

  next(): TaskId {
    const now = this.#clock.now()
    if (this.#drawn >= cohortSize || now < this.#openedAt || now - this.#openedAt > cohortMs) this.#openCohort(now)
    return (this.#prefix + (this.#drawn++).toString(16).padStart(4, '0')) as TaskId
  }

  #openCohort(now: number): void {
    const random = this.#random
    const rng = random && (() => Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256)))
    this.#prefix = v7({ msecs: now, ...(rng ? { rng } : {}) }).slice(0, -4)
    this.#drawn = 0
    this.#openedAt = now
  }
}

/** The id of the task of an idempotency key: the same type and key give the same id on every node. */
export const taskIdOfKey = (type: string, key: string): TaskId => v5(JSON.stringify([type, key]), keyNamespace) as TaskId
