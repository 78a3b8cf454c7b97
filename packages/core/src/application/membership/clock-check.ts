import type { NodeContext } from '../node/context.ts'

/** A smaller difference is not worth a warning, in milliseconds. */
const toleratedMs = 2_000

/** Compares the wall clock of this node with the clocks of the other live nodes, and warns once for each change. */
export class ClockCheck {
  readonly #node: NodeContext
  /** The difference that was warned of. */
  #warnedMs: number | undefined

  constructor(node: NodeContext) {
    this.#node = node
  }

  /**
   * How far the wall clock of this node is at least ahead of the median of the other live nodes, in milliseconds, negative if it is behind. The
   * time between two renewals is not known, so a difference that this time may explain counts as 0. `undefined` without other nodes.
   */
  get offsetMs(): number | undefined {
    const { clocks, lease } = this.#node
    const { aheadMs } = clocks
    if (aheadMs === undefined) return undefined
    return Math.round(aheadMs < 0 ? aheadMs : Math.max(0, aheadMs - lease.settings.renewMs))
  }

  /** Compares the clocks after a read of the registry. */
  look(): void {
    const { offsetMs } = this
    const { logger, lease } = this.#node
    if (offsetMs === undefined) return
    const isWrong = Math.abs(offsetMs) > toleratedMs
    if (!isWrong && this.#warnedMs !== undefined) {
      this.#warnedMs = undefined
      logger.info({ offsetMs }, 'the clock of this node agrees with the clocks of other nodes again')
    } else if (isWrong && Math.abs(offsetMs - (this.#warnedMs ?? Infinity)) > toleratedMs + lease.settings.renewMs) {
      this.#warnedMs = offsetMs
      logger.warn({ offsetMs }, 'the clock of this node differs from the clocks of other nodes: synchronise the clocks')
    }
  }
}
