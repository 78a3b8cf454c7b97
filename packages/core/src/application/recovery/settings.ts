import { checkMs } from '../../ports/checks.ts'
import { checkIntervalMs } from '../node/checks.ts'

/** How a node looks for what was lost. Times are in milliseconds. */
export interface JanitorOptions {
  /** How often it looks, where something was lost; up to six times as long while nothing is. Default 5,000. */
  readonly intervalMs?: number
  /** How long a task that is due may wait before its message can be thought lost. Default 10,000. */
  readonly overdueMs?: number
}

/** What is forgotten by itself. Times are in milliseconds. */
export interface RetentionOptions {
  /** How long a task is kept after it has finished: then history and row are removed. Default: for good. */
  readonly finishedMs?: number
}

/** How a janitor works, every choice made. Times are in milliseconds. */
export interface JanitorSettings {
  /** How often it looks for what was lost, where something was; up to six times as long where nothing was. */
  readonly intervalMs: number
  /** How long a due task may wait before its message can be thought lost. */
  readonly overdueMs: number
  /** How long finished tasks are kept; nothing where they are kept for good. */
  readonly finishedMs: number | undefined
}

/** @throws TypeError where a time makes no sense. */
export const janitorSettings = (
  { intervalMs = 5_000, overdueMs = 10_000 }: JanitorOptions = {},
  { finishedMs }: RetentionOptions = {},
): JanitorSettings => {
  return {
    intervalMs: checkIntervalMs('janitor.intervalMs', intervalMs),
    overdueMs: checkMs('janitor.overdueMs', overdueMs),
    finishedMs: finishedMs === undefined ? undefined : checkMs('retention.finishedMs', finishedMs),
  }
}
