import type { CancelSchedule, Clock } from '@taskledger/core/ports'
import type { Letter } from './letter.ts'

/**
 * Letters that come back at a later time. Timers run only while somebody is there to take what comes back: a timer that
 * nobody waits for would keep the process from ending.
 */
export class DelayedLetters {
  readonly #clock: Clock
  readonly #comeBack: (letter: Letter) => void
  readonly #dueAt = new Map<Letter, number>()
  readonly #timers = new Map<Letter, CancelSchedule>()
  #ticking = false

  constructor(clock: Clock, comeBack: (letter: Letter) => void) {
    this.#clock = clock
    this.#comeBack = comeBack
  }

  get size(): number {
    return this.#dueAt.size
  }

  add(letter: Letter, delayMs: number): void {
    const dueAt = this.#clock.now() + delayMs
    this.#dueAt.set(letter, dueAt)
    if (this.#ticking) this.#time(letter, dueAt)
  }

  /** What fell due in the meantime comes back at once. */
  start(): void {
    if (this.#ticking) return
    this.#ticking = true
    for (const [letter, dueAt] of this.#dueAt) this.#time(letter, dueAt)
  }

  stop(): void {
    this.#ticking = false
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }

  #time(letter: Letter, dueAt: number): void {
    const cancel = this.#clock.schedule(dueAt - this.#clock.now(), () => {
      this.#timers.delete(letter)
      this.#dueAt.delete(letter)
      this.#comeBack(letter)
    })
    this.#timers.set(letter, cancel)
  }
}
