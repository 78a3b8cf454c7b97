import type { CancelSchedule, Clock } from '@taskledger/core/ports'
import { sleepOn } from '@taskledger/core/ports'

/** By how much two sums of the same times may differ, in milliseconds. */
const roundingMs = 0.5

/** A promise that never settles: the answer to each call of a dead process. */
export const never = <T>(): Promise<T> => new Promise<T>(() => {})

/**
 * The process of a node, which is also the clock of that node. Each timer fires as a step of the process. A dead process runs no
 * steps; a frozen process runs them when it thaws. While the machine is suspended, the monotone clock stands still, as that of Linux does.
 */
export class NodeProcess implements Clock {
  readonly sleep: Clock['sleep']
  /** How far the wall clock of this process is ahead, in milliseconds. */
  skewMs: number
  readonly #clock: Clock
  readonly #timers = new Set<object>()
  /** How far the monotone clock is behind the time of the world, in milliseconds. */
  #behindMs = 0
  /** Since when the machine is suspended, by the time of the world. */
  #suspendedAt: number | undefined
  #backlog: (() => void)[] = []
  #state: 'running' | 'frozen' | 'dead' = 'running'
  #diedAt: number | undefined

  constructor(clock: Clock, skewMs = 0) {
    this.#clock = clock
    this.skewMs = skewMs
    this.sleep = sleepOn((ms, callback) => this.schedule(ms, callback))
  }

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  get isFrozen(): boolean {
    return this.#state === 'frozen'
  }

  /** When the process died, by `elapsed()`. */
  get diedAt(): number | undefined {
    return this.#diedAt
  }

  /** How many timers of this process have not fired. */
  get pendingTimers(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#clock.now() + this.skewMs
  }

  elapsed(): number {
    return (this.#suspendedAt ?? this.#clock.elapsed()) - this.#behindMs
  }

  schedule(ms: number, callback: () => void): CancelSchedule {
    const timer = {}
    this.#timers.add(timer)
    const dueAt = this.elapsed() + Math.max(ms, 0)
    let cancel: CancelSchedule = () => {}
    const wait = (forMs: number): void => {
      cancel = this.#clock.schedule(forMs, () =>
        this.step(() => {
          // The timer may have been cancelled while the process was frozen.
          if (!this.#timers.has(timer)) return
          const leftMs = dueAt - this.elapsed()
          if (leftMs > roundingMs) return wait(leftMs)
          this.#timers.delete(timer)
          callback()
        }),
      )
    }
    wait(ms)
    return () => {
      this.#timers.delete(timer)
      cancel()
    }
  }

  /** Runs the callback in the process: at once, after the thaw, or never. */
  step(callback: () => void): void {
    if (this.#state === 'frozen') this.#backlog.push(callback)
    else if (this.#state === 'running') callback()
  }

  /** Kills the process, as SIGKILL does. */
  kill(): void {
    if (this.#state === 'dead') return
    this.#state = 'dead'
    this.#diedAt = this.#clock.elapsed()
    this.#backlog = []
    this.#timers.clear()
  }

  /** Freezes the process, as SIGSTOP does. */
  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen'
  }

  /** As by `systemctl suspend`: a freeze that no timer notices. `thaw` ends it. */
  suspend(): void {
    if (this.#state !== 'running') return
    this.#suspendedAt = this.#clock.elapsed()
    this.#state = 'frozen'
  }

  /** Thaws the process, as SIGCONT does. It now runs the steps that became due meanwhile, in order. */
  thaw(): void {
    if (this.#state !== 'frozen') return
    this.#state = 'running'
    if (this.#suspendedAt !== undefined) this.#behindMs += this.#clock.elapsed() - this.#suspendedAt
    this.#suspendedAt = undefined
    for (const callback of this.#backlog.splice(0)) this.#clock.schedule(0, () => this.step(callback))
  }
}
