import type { CancelSchedule, Clock } from '@taskledger/core/ports'
import { sleepOn } from '@taskledger/core/ports'
import type { SimulatedTime } from './simulated-time.ts'

/** A process: all that reaches it comes as a step. A dead one takes no more of them, a frozen one takes them when it wakes. */
export class SimulatedProcess implements Clock {
  readonly sleep: Clock['sleep']
  /** By how much its clock is ahead. */
  skewMs: number
  readonly #world: SimulatedTime
  readonly #timers = new Set<object>()
  #backlog: (() => void)[] = []
  #state: 'runs' | 'frozen' | 'dead' = 'runs'
  #diedAt: number | undefined

  constructor(world: SimulatedTime, skewMs: number) {
    this.#world = world
    this.skewMs = skewMs
    this.sleep = sleepOn((ms, callback) => this.schedule(ms, callback))
  }

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  get isFrozen(): boolean {
    return this.#state === 'frozen'
  }

  get diedAt(): number | undefined {
    return this.#diedAt
  }

  /** How many timers of its own are ahead. */
  get pendingTimers(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#world.now() + this.skewMs
  }

  elapsed(): number {
    return this.#world.elapsed()
  }

  schedule(ms: number, callback: () => void): CancelSchedule {
    const timer = {}
    this.#timers.add(timer)
    const cancel = this.#world.schedule(ms, () =>
      this.step(() => {
        // It may have been cancelled while the process was frozen.
        if (this.#timers.delete(timer)) callback()
      }),
    )
    return () => {
      this.#timers.delete(timer)
      cancel()
    }
  }

  step(callback: () => void): void {
    if (this.#state === 'frozen') this.#backlog.push(callback)
    else if (this.#state === 'runs') callback()
  }

  /** As by SIGKILL. */
  kill(): void {
    if (this.#state === 'dead') return
    this.#state = 'dead'
    this.#diedAt = this.#world.elapsed()
    this.#backlog = []
    this.#timers.clear()
  }

  /** As by SIGSTOP. */
  freeze(): void {
    if (this.#state === 'runs') this.#state = 'frozen'
  }

  /** As by SIGCONT: what it missed comes now, in the order in which it came. */
  thaw(): void {
    if (this.#state !== 'frozen') return
    this.#state = 'runs'
    for (const callback of this.#backlog.splice(0)) this.#world.schedule(0, () => this.step(callback))
  }
}
