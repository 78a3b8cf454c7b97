import type { Clock } from '../ports/shared/clock.ts'
import { sleepOn } from '../ports/shared/clock.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** A clock for one user of a virtual clock, and how many timers the others have. */
export interface SharedClock extends Clock {
  /** How many pending timers were not scheduled by this user. */
  readonly othersPending: number
}

/** Tells the timers of one user of a virtual clock from those of all others. */
export const sharedClock = (clock: VirtualClock): SharedClock => {
  const own = new Set<object>()
  const schedule: Clock['schedule'] = (ms, callback) => {
    const timer = {}
    const cancel = clock.schedule(ms, () => {
      own.delete(timer)
      callback()
    })
    own.add(timer)
    return () => {
      own.delete(timer)
      cancel()
    }
  }
  return {
    now: () => clock.now(),
    elapsed: () => clock.elapsed(),
    schedule,
    sleep: sleepOn(schedule),
    get othersPending() {
      return clock.pendingTimers - own.size
    },
  }
}
