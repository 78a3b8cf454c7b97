import type { Clock } from '../../ports/clock.ts'
import { codeOf } from '../../ports/errors.ts'

/** One thing that a node has to be able to do. Times are in milliseconds since 1970. */
export interface HealthCheck {
  readonly ok: boolean
  /** Since when it has been so. */
  readonly since: number
  /** When this was last found out. */
  readonly checkedAt: number
  /** Why it is not ok. */
  readonly why?: string
  /** The last thing that went wrong, even if all is well by now. */
  readonly lastError?: { readonly message: string; readonly code?: string; readonly at: number }
}

/** How a node does. Nothing is ok before it was seen to work. */
export interface NodeHealth {
  /** Whether all of it is. */
  readonly ok: boolean
  /** The node counts as alive. */
  readonly lease: HealthCheck
  /** The event store answers. */
  readonly store: HealthCheck
  /** The node hears the bus: it heard its own latest beat. */
  readonly bus: HealthCheck
  /** The worker is handed what waits in its queues; absent on a front-end. */
  readonly consuming?: HealthCheck
  /** How many unfinished tasks the janitor of this node has met whose histories it cannot read. */
  readonly unreadable: number
}

/** Keeps what was last found out about one thing. */
export class Check {
  readonly #clock: Clock
  #check: HealthCheck

  constructor(clock: Clock, why: string) {
    this.#clock = clock
    const now = clock.now()
    this.#check = { ok: false, since: now, checkedAt: now, why }
  }

  get state(): HealthCheck {
    return this.#check
  }

  good(): void {
    const { ok, since, lastError } = this.#check
    const now = this.#clock.now()
    this.#check = { ok: true, since: ok ? since : now, checkedAt: now, ...(lastError === undefined ? {} : { lastError }) }
  }

  bad(why: string, error?: unknown): void {
    const { ok, since, lastError } = this.#check
    const now = this.#clock.now()
    const told = error === undefined ? lastError : { ...described(error), at: now }
    this.#check = { ok: false, since: ok ? now : since, checkedAt: now, why, ...(told === undefined ? {} : { lastError: told }) }
  }
}

const described = (error: unknown): { readonly message: string; readonly code?: string } => {
  const code = codeOf(error)
  return { message: error instanceof Error ? error.message : String(error), ...(code === undefined ? {} : { code }) }
}
