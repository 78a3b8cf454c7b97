import type { NodeContext } from '../node/context.ts'
import { mayPass, repetitionDelayMs } from '../node/retrying.ts'

/** How many calls of a lane are made at a time. */
const atATime = 16

/** After this number of failures in a row it is logged that a call keeps failing. */
const manyTries = 6

/** A failed call that is made again. */
export interface Retry {
  call(signal: AbortSignal): Promise<void>
  /** Called once: without an error when the call has succeeded, else with the reason why it is not made again. */
  onEnd(error?: unknown): void
}

/**
 * Retries failed calls of one kind until they succeed or the node closes, a few at a time: after an outage there may be thousands, and an
 * engine that has just come back must not get all of them at once. A call that fails again goes to the end of the lane.
 */
export class RetryLane {
  readonly #node: NodeContext
  readonly #waiting = new Set<Retry>()
  #workers = 0
  #isLogged = false

  constructor(node: NodeContext) {
    this.#node = node
  }

  add(retry: Retry): void {
    this.#waiting.add(retry)
    if (this.#workers < atATime) void this.#work()
  }

  async #work(): Promise<void> {
    this.#workers++
    let tries = 0
    for (const retry of this.#waiting) {
      this.#waiting.delete(retry)
      if (await this.#ends(retry, tries + 1)) tries = 0
      else await this.#pause(++tries)
    }
    this.#workers--
  }

  /** Makes the call. Returns whether it has succeeded or is given up; else it waits again. */
  async #ends(retry: Retry, tries: number): Promise<boolean> {
    const { closed, deadlines } = this.#node
    try {
      closed.throwIfAborted()
      await deadlines.call(undefined, (signal) => retry.call(signal))
    } catch (error) {
      if (!closed.aborted && mayPass(error)) {
        this.#waiting.add(retry)
        this.#log(error, tries)
        return false
      }
      retry.onEnd(error)
      return true
    }
    this.#isLogged = false
    retry.onEnd()
    return true
  }

  #log(error: unknown, tries: number): void {
    const { logger } = this.#node
    if (tries === 1) logger.debug({ err: error }, 'retrying a failed call')
    if (tries < manyTries || this.#isLogged) return
    this.#isLogged = true
    logger.warn({ err: error, tries, waiting: this.#waiting.size }, 'retrying a call that keeps failing')
  }

  /** Ends early when the node closes: every call that waits is given up then. */
  async #pause(tries: number): Promise<void> {
    await this.#node.clock.sleep(repetitionDelayMs(tries, this.#node.random()), this.#node.closed).catch(() => {})
  }
}
