import type { CancelSchedule, Clock } from '../ports/clock.ts'
import { sleepOn } from '../ports/clock.ts'
import { misuse } from '../ports/errors.ts'

/** A clock whose time passes only when it is told to. Give one to every part that has to live on the same time. */
export interface VirtualClock extends Clock {
  /**
   * Lets time pass: what falls due within it is called in the order of its time, and what that sets off runs before the
   * next is called. With 0 it lets run what is due at once. Resolves when everything has come to rest.
   */
  advance(ms: number): Promise<void>
  /** How many schedules and sleeps are ahead. */
  readonly pendingTimers: number
}

interface Timer {
  readonly dueAt: number
  /** Tells timers of the same time apart: first come, first called. */
  readonly sequence: number
  readonly callback: () => void
}

/** 2024-01-01T00:00:00Z. */
const defaultStart = 1_704_067_200_000

/** How many turns of the real event loop are waited for, so that chains of promises, and of a few immediates, come to rest. */
const turnsToRest = 5

/** More timers than this at one instant are a loop that would never end. */
const maxTimersAtOnce = 10_000

// Taken early: a test runner may put fake timers in their place.
const { setImmediate: nextTurn } = globalThis

const rest = async (): Promise<void> => {
  for (let turn = 0; turn < turnsToRest; turn++) await new Promise<void>((resolve) => void nextTurn(resolve))
}

/** Makes a clock that stands still until it is advanced. `startAt` is in milliseconds since 1970. */
export const virtualClock = (startAt: number = defaultStart): VirtualClock => {
  const timers = new Set<Timer>()
  let now = startAt
  let sequence = 0
  let underway: Promise<void> = Promise.resolve()

  const schedule = (ms: number, callback: () => void): CancelSchedule => {
    if (Number.isNaN(ms)) throw misuse('a schedule needs a number of milliseconds, not NaN')
    const timer: Timer = { dueAt: now + Math.max(ms, 0), sequence: sequence++, callback }
    timers.add(timer)
    return () => void timers.delete(timer)
  }

  const nextDue = (until: number): Timer | undefined => {
    let next: Timer | undefined
    for (const timer of timers) if (timer.dueAt <= until && (next === undefined || isBefore(timer, next))) next = timer
    return next
  }

  const pass = async (ms: number): Promise<void> => {
    // Nothing is under way any more that could still schedule something for the time that passes.
    await rest()
    const until = now + ms
    let timersAtOnce = 0
    for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
      timersAtOnce = timer.dueAt > now ? 1 : timersAtOnce + 1
      if (timersAtOnce > maxTimersAtOnce)
        throw misuse(`more than ${maxTimersAtOnce} timers fell due at ${now}: something schedules itself without end`)
      now = Math.max(now, timer.dueAt)
      timers.delete(timer)
      timer.callback()
      await rest()
    }
    now = until
  }

  return {
    now: () => now,
    elapsed: () => now - startAt,
    schedule,
    sleep: sleepOn(schedule),
    advance(ms) {
      if (!(ms >= 0 && ms < Infinity)) throw misuse(`a clock is advanced by 0 milliseconds or more, not by ${ms}`)
      // One after the other: two at a time would call timers out of order.
      const passed = underway.then(() => pass(ms))
      underway = passed.catch(() => {})
      return passed
    },
    get pendingTimers() {
      return timers.size
    },
  }
}

const isBefore = (a: Timer, b: Timer): boolean => a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.sequence < b.sequence)
