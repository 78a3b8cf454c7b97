import type { CancelSchedule, Clock } from '@taskledger/core/ports'
import { sleepOn } from '@taskledger/core/ports'

interface Timer {
  readonly dueAt: number
  callback: (() => void) | undefined
}

// Taken early: a test runner may put fake timers in their place.
const { setImmediate: nextTurn } = globalThis

/** Resolves when everything that is due now has run, down to the last microtask. */
const rest = (): Promise<void> => new Promise((resolve) => void nextTurn(resolve))

/**
 * The time of the world: what the engines go by, and what all that is simulated is ordered by. It does what the virtual clock of
 * `@taskledger/core/testing` does, for clusters whose bodies and engines wait for nothing but this clock: that makes it fast.
 */
export class SimulatedTime implements Clock {
  readonly startAt = 1_704_067_200_000
  readonly sleep: Clock['sleep']
  /** The next to fall due is the last. */
  readonly #timers: Timer[] = []
  #now = this.startAt

  constructor() {
    this.sleep = sleepOn((ms, callback) => this.schedule(ms, callback))
  }

  now(): number {
    return Math.floor(this.#now)
  }

  elapsed(): number {
    return this.#now - this.startAt
  }

  get pendingTimers(): number {
    return this.#timers.filter(({ callback }) => callback !== undefined).length
  }

  schedule(ms: number, callback: () => void): CancelSchedule {
    const timer: Timer = { dueAt: this.#now + Math.max(ms, 0), callback }
    const timers = this.#timers
    let low = 0
    let high = timers.length
    while (low < high) {
      const middle = (low + high) >>> 1
      // Before those of the same time: they were scheduled earlier, and what falls due first stands last.
      if ((timers[middle]?.dueAt ?? 0) > timer.dueAt) low = middle + 1
      else high = middle
    }
    timers.splice(low, 0, timer)
    return () => void (timer.callback = undefined)
  }

  /** Lets time pass, until `elapsed()` is that, or what falls due ends it. */
  async runUntil(elapsedMs: number, isOver: () => boolean = () => false): Promise<void> {
    const until = this.startAt + elapsedMs
    await rest()
    for (let next = this.#timers.at(-1); next !== undefined && next.dueAt <= until && !isOver(); next = this.#timers.at(-1)) {
      this.#timers.pop()
      const { callback, dueAt } = next
      if (callback === undefined) continue
      this.#now = Math.max(this.#now, dueAt)
      next.callback = undefined
      callback()
      await rest()
    }
    if (!isOver()) this.#now = Math.max(this.#now, until)
  }
}
