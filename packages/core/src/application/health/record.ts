import type { Clock } from '../../ports/shared/clock.ts'
import { codeOf } from '../../ports/shared/errors.ts'

/** The result of one health check. Times are in milliseconds since 1970. */
export interface HealthCheck {
  readonly ok: boolean
  /** When `ok` last changed. */
  readonly since: number
  /** When the check last ran. */
  readonly checkedAt: number
  /** Why it is not ok. */
  readonly why?: string
  /** The latest failure, also after the check is ok again. */
  readonly lastError?: { readonly message: string; readonly code?: string; readonly at: number }
}

/** Keeps the latest result of one check. */
export class HealthRecord {
  readonly #clock: Clock
  #latest: HealthCheck

  constructor(clock: Clock, why: string) {
    this.#clock = clock
    const now = clock.now()
    this.#latest = { ok: false, since: now, checkedAt: now, why }
  }

  get latest(): HealthCheck {
    return this.#latest
  }

  good(): void {
    const { ok, since, lastError } = this.#latest
    const now = this.#clock.now()
    this.#latest = { ok: true, since: ok ? since : now, checkedAt: now, ...(lastError === undefined ? {} : { lastError }) }
  }

  bad(why: string, error?: unknown): void {
    const { ok, since, lastError } = this.#latest
    const now = this.#clock.now()
    const lastFailure = error === undefined ? lastError : { ...described(error), at: now }
    this.#latest = {
      ok: false,
      since: ok ? now : since,
      checkedAt: now,
      why,
      ...(lastFailure === undefined ? {} : { lastError: lastFailure }),
    }
  }
}

const described = (error: unknown): { readonly message: string; readonly code?: string } => {
  const code = codeOf(error)
  return { message: error instanceof Error ? error.message : String(error), ...(code === undefined ? {} : { code }) }
}
