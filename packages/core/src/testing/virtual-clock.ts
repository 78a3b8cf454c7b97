import type { CancelSchedule, Clock } from '../ports/shared/clock.ts'
import { sleepOn } from '../ports/shared/clock.ts'
import { checkMs, wrongOption } from '../ports/shared/checks.ts'
import { misuse } from '../ports/shared/errors.ts'

/** A clock whose time passes only when a test advances it. Give one clock to all parts that share a time. */
export interface VirtualClock extends Clock {
  /**
   * Lets time pass. Callbacks that become due are called in the order of their times, and the promises of one callback settle before the next
   * callback. With 0, only callbacks that are due now are called. Resolves when all of them have run.
   */
  advance(ms: number): Promise<void>
  /** How many scheduled callbacks and sleeps are pending. */
  readonly pendingTimers: number
}

interface Timer {
  readonly dueAt: number
  /** Orders timers of the same time: first scheduled, first called. */
  readonly sequence: number
  readonly callback: () => void
}

/** 2024-01-01T00:00:00Z. */
const defaultStart = 1_704_067_200_000

/** The latest time that a `Date` can hold, in milliseconds since 1970. */
const maxTimeMs = 8.64e15

/** How many turns of the real event loop are waited for, so that chains of promises and of a few immediates settle. */
const turnsToRest = 5

/** More timers than this at one instant are an endless loop. */
const maxTimersAtOnce = 10_000

// Read early: a test runner may replace it by a fake timer.
const { setImmediate: nextTurn } = globalThis

const rest = async (): Promise<void> => {
  for (let turn = 0; turn < turnsToRest; turn++) await new Promise<void>((resolve) => void nextTurn(resolve))
}

/** Makes a clock that stands still until a test advances it. `startAt` is in milliseconds since 1970. */
export const virtualClock = (startAt: number = defaultStart): VirtualClock => {
  if (typeof startAt !== 'number' || !(Math.abs(startAt) <= maxTimeMs))
    throw wrongOption('the start of a virtual clock', startAt, `milliseconds since 1970, at most ${maxTimeMs}`)
  const timers = new Set<Timer>()
  let now = startAt
  let sequence = 0
  let underway: Promise<void> = Promise.resolve()

  const schedule = (ms: number, callback: () => void): CancelSchedule => {
    if (Number.isNaN(ms)) throw wrongOption('the time of a schedule', ms, 'a number of milliseconds')
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
    // First let running work schedule its callbacks for the time that passes.
    await rest()
    const until = now + ms
    let timersAtOnce = 0
    for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
      timersAtOnce = timer.dueAt > now ? 1 : timersAtOnce + 1
      if (timersAtOnce > maxTimersAtOnce)
        throw misuse(`more than ${maxTimersAtOnce} timers became due at ${now}: a callback schedules itself without a delay, give it one`)
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
      checkMs('the time to advance by', ms)
      // One advance at a time: two together would call timers out of order.
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
