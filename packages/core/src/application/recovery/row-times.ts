import type { TaskDetails } from '../../domain/task-details.ts'
import { waitsSince, writerOf } from '../../domain/task-details.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { NodeContext } from '../node/context.ts'

/** How long a row is remembered after it was last looked at, in milliseconds: longer than from one full sweep to the next. */
const rememberedMs = 1_800_000

/** The maximum number of remembered rows. */
const maxRemembered = 10_000

/** The delay of a retry is doubtful if it lasts longer than this, in milliseconds. */
const longMs = 600_000

interface SeenRow {
  readonly version: number
  /** By `clock.elapsed()`, as all times here. */
  readonly firstAt: number
  lastAt: number
  /** The longest delay that the retry policy allows, if it was noted. */
  readonly delayMs?: number
}

/**
 * When a task changed or became due, by `clock.elapsed()` of this node. The times of a row are translated from the clock of the node that wrote
 * them. That clock may be unknown, may have been set since, or the row's time may be that of an even faster clock. So no task counts as due
 * later than its delay allows, counted from when this node first saw the row: no task waits for hours because a clock was wrong. If the
 * writer lives and its clock is unknown, a task counts as due then and no earlier.
 */
export class RowTimes {
  readonly #node: NodeContext
  readonly #seen = new Map<TaskId, SeenRow>()
  /** How far the furthest row was ahead of this node's clock, since the last but one `prune`, in milliseconds. */
  #aheadMs = 0
  #aheadBeforeMs = 0

  constructor(node: NodeContext) {
    this.#node = node
  }

  /** When a waiting task became due, or will become due. */
  dueAt(row: TaskDetails): number {
    return this.#bounded(row, waitsSince(row), this.#delayOf(row))
  }

  /** Whether only the history of a waiting task can tell if its delay is plausible. */
  isDoubtful(row: TaskDetails): boolean {
    if (this.#delayOf(row) < Infinity) return false
    const { clock, clocks } = this.#node
    return !clocks.knows(writerOf(row)) || this.dueAt(row) - clock.elapsed() > longMs
  }

  /** Notes the longest delay that the history of a waiting task allows, in milliseconds. */
  noteDelay({ taskId, version }: TaskDetails, delayMs: number): void {
    const now = this.#node.clock.elapsed()
    this.#seen.set(taskId, { version, firstAt: now, lastAt: now, delayMs })
  }

  /** When the latest event of a task happened. */
  changedAt(row: TaskDetails): number {
    return this.#bounded(row, row.updatedAt, 0)
  }

  /** The latest time that the row of a task may carry if it was due at a moment of `clock.elapsed()`. Milliseconds since 1970. */
  latestTime(elapsed: number): number {
    const { clock, clocks } = this.#node
    const fastest = Math.max(clocks.fastestNow(), clock.now() + Math.max(this.#aheadMs, this.#aheadBeforeMs))
    return fastest - (clock.elapsed() - elapsed)
  }

  /** Forgets rows that were not looked at for long. */
  prune(): void {
    const longAgo = this.#node.clock.elapsed() - rememberedMs
    for (const [taskId, { lastAt }] of this.#seen) if (lastAt < longAgo) this.#seen.delete(taskId)
    this.#aheadBeforeMs = this.#aheadMs
    this.#aheadMs = 0
  }

  #bounded(row: TaskDetails, time: number, delayMs: number): number {
    const { clock, clocks } = this.#node
    const now = clock.elapsed()
    const at = clocks.elapsedAt(time, writerOf(row), row.updatedAt)
    if (at <= now + delayMs) return at
    this.#aheadMs = Math.max(this.#aheadMs, time - delayMs - clock.now())
    return this.#firstSeenAt(row, now) + delayMs
  }

  /** The longest delay that the latest event of a waiting task may have caused; Infinity if only the history knows. */
  #delayOf({ taskId, version, attempt, dueAt, createdAt }: TaskDetails): number {
    if (dueAt === undefined) return 0
    if (attempt === 0) return Math.max(0, dueAt - createdAt)
    const seen = this.#seen.get(taskId)
    return seen?.version === version ? (seen.delayMs ?? Infinity) : Infinity
  }

  #firstSeenAt({ taskId, version }: TaskDetails, now: number): number {
    const seen = this.#seen.get(taskId)
    if (seen?.version === version) {
      seen.lastAt = now
      return seen.firstAt
    }
    if (this.#seen.size < maxRemembered || seen !== undefined) this.#seen.set(taskId, { version, firstAt: now, lastAt: now })
    return now
  }
}
