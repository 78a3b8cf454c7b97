import type { ChecksOf } from '../../ports/shared/check-options.ts'
import { objectOf } from '../../ports/shared/check-options.ts'
import { checkMs } from '../../ports/shared/checks.ts'
import { checkIntervalMs } from '../node/checks.ts'

/** How a node looks for lost tasks. Times are in milliseconds. */
export interface JanitorOptions {
  /** How often the janitor sweeps while it finds lost tasks; the interval grows up to six times while it finds none. Default 5,000. */
  readonly intervalMs?: number | undefined
  /** How long a due task may wait before its message can count as lost. Default 10,000. */
  readonly overdueMs?: number | undefined
}

/** When finished tasks are removed. Times are in milliseconds. */
export interface RetentionOptions {
  /** How long a task is kept after its end; then history and row are removed. Default: for ever. */
  readonly finishedMs?: number | undefined
}

/** The settings of a janitor, with every default filled in. Times are in milliseconds. */
export interface JanitorSettings {
  readonly intervalMs: number
  readonly overdueMs: number
  /** `undefined`: finished tasks are kept. */
  readonly finishedMs: number | undefined
}

const checkJanitor = objectOf({ intervalMs: checkIntervalMs, overdueMs: checkMs } satisfies ChecksOf<JanitorOptions>)

const checkRetention = objectOf({ finishedMs: checkMs } satisfies ChecksOf<RetentionOptions>)

/** @throws `MISUSE` if an option is wrong. */
export const janitorSettings = (janitor: JanitorOptions = {}, retention: RetentionOptions = {}): JanitorSettings => {
  const { intervalMs = 5_000, overdueMs = 10_000 } = checkJanitor('janitor', janitor)
  const { finishedMs } = checkRetention('retention', retention)
  return { intervalMs, overdueMs, finishedMs }
}
