import type { JsonValue } from './json.ts'
import { isSameJson } from './json.ts'

/**
 * The crashes of a task. An attempt crashed if its node died, or if its node stood still until the lease was lost. The framework cannot
 * tell whether the task was the cause, or another task in the same process.
 */
export interface Crashes {
  /** All of them. */
  readonly all: number
  /** The latest ones, between which the task made no progress. The retry policy limits these. */
  readonly inARow: number
  /** The progress value at the latest crash; absent if none was reported before it. */
  readonly progressAtLatest?: JsonValue
}

export const noCrashes: Crashes = { all: 0, inARow: 0 }

/** How many times `maxCrashes` a task may crash at all, so that a task that reports something new before each crash does not run for ever. */
const maxFactor = 10

/** After this number of crashes a task is suspected of causing them. */
const suspectFrom = 2

/**
 * The crashes after one more. `progress` is the value of the latest report before it. If it differs from that at the crash before, then the
 * task got further in between, and a new row of crashes begins.
 */
export const withCrash = ({ all, inARow, progressAtLatest }: Crashes, progress: JsonValue | undefined): Crashes => {
  const value = progress === undefined ? progressAtLatest : progress
  const gotFurther = value !== undefined && !(progressAtLatest !== undefined && isSameJson(value, progressAtLatest))
  return {
    all: all + 1,
    inARow: all > 0 && gotFurther ? 1 : inARow + 1,
    ...(value === undefined ? {} : { progressAtLatest: value }),
  }
}

/** Whether these are more crashes than the policy survives. */
export const areTooMany = ({ all, inARow }: Crashes, maxCrashes: number): boolean => inARow > maxCrashes || all > maxFactor * maxCrashes

/**
 * Whether the task may be the cause of its crashes: a worker runs one such task at a time. A first crash suspects nobody: all tasks of a
 * killed node have one, and they have to run again at once. If the policy survives only one crash, it does.
 */
export const isSuspect = ({ all }: Crashes, maxCrashes: number): boolean => all > 0 && all >= Math.min(suspectFrom, maxCrashes)
