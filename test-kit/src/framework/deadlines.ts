import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '@taskledger/core/ports'
import { codeOf, systemClock, within } from '@taskledger/core/ports'

/** The length of the parts that a deadline is split into, in milliseconds. */
const partMs = 10

/**
 * A clock that splits each timer into short timers, one after the other. So the event loop makes as many turns before a deadline on a slow
 * machine as on a fast one, and the work gets its turns.
 */
const patientClock: Clock = {
  ...systemClock,
  schedule(ms, callback) {
    let left = ms
    const pass = (): void => {
      const part = Math.min(left, partMs)
      left -= part
      cancel = systemClock.schedule(part, left > 0 ? pass : callback)
    }
    let cancel = (): void => {}
    pass()
    return () => cancel()
  },
}

/** Bounds a promise. After the timeout it fails with the error that is made then. The promise itself goes on. */
const boundedBy = <T>(timeoutMs: number, promise: Promise<T>, late: () => Error): Promise<T> =>
  within(promise, {
    timeoutMs,
    clock: patientClock,
    onTimeout: () => {
      throw late()
    },
  })

/** Bounds a promise. After the timeout it fails with the sentence that says what it waited for. The promise itself goes on. */
export const bounded = <T>(timeoutMs: number, sentence: string, promise: Promise<T>): Promise<T> =>
  boundedBy(timeoutMs, promise, () => tooLate(timeoutMs, sentence))

/** A wait ended too late. Its message says what was awaited. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut'
}

/** The waits of one rule. They share a deadline, and remember what went wrong meanwhile, for the message of the wait that ends too late. */
export class Waits {
  readonly #timeoutMs: number
  /** What is waited for now: the sentences, in the order in which the waits began. */
  readonly #open = new Set<{ readonly sentence: string }>()
  /** The last error that a wait took for "not yet", and the sentence of that wait. */
  #last: { readonly error: unknown; readonly sentence: string } | undefined

  /** The wait in which an error came up. */
  readonly #waitOf = new WeakMap<object, string>()

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** Bounds a promise by the deadline. After it the wait fails with the sentence, and the last error that a wait saw. */
  within<T>(sentence: string, promise: Promise<T>): Promise<T> {
    return this.#during(sentence, () => boundedBy(this.#timeoutMs, promise, () => this.#tooLate(sentence)))
  }

  /**
   * Waits until the condition holds. A condition that fails with UNAVAILABLE or OUTCOME_UNKNOWN does not hold yet; any other failure ends the
   * wait. After the deadline the wait fails with the sentence, and the last such error.
   */
  waitUntil(sentence: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    return this.#during(sentence, async () => {
      let isLate = false
      const cancel = patientClock.schedule(this.#timeoutMs, () => (isLate = true))
      const check = async (): Promise<boolean> => {
        try {
          return await condition()
        } catch (error) {
          if (!isPassing(error)) throw error
          this.#last = { error, sentence }
          return false
        }
      }
      try {
        while (!(await boundedBy(this.#timeoutMs, check(), () => this.#tooLate(sentence, 'the last check did not end')))) {
          if (isLate) throw this.#tooLate(sentence)
          await sleep(5)
        }
      } finally {
        cancel()
      }
    })
  }

  /** Bounds the whole rule by a number of deadlines. After them it fails with what the rule waits for at that time. */
  all<T>(deadlines: number, rule: Promise<T>): Promise<T> {
    const timeoutMs = this.#timeoutMs * deadlines
    return boundedBy(timeoutMs, rule, () => {
      const open = this.open.map((sentence) => `it waits until ${sentence}`)
      return tooLate(timeoutMs, 'the rule ends', [...open, ...this.#lastError()], this.#last?.error)
    })
  }

  /** The sentences of what the rule waits for at the moment. */
  get open(): readonly string[] {
    return [...this.#open].map(({ sentence }) => sentence)
  }

  /** The sentence of the wait in which this error came up; `undefined` if it came up in none, or has the sentence in its message. */
  waitOf(error: unknown): string | undefined {
    return typeof error === 'object' && error !== null ? this.#waitOf.get(error) : undefined
  }

  async #during<T>(sentence: string, wait: () => Promise<T>): Promise<T> {
    const entry = { sentence }
    this.#open.add(entry)
    try {
      return await wait()
    } catch (error) {
      if (typeof error === 'object' && error !== null && !(error instanceof TimedOut)) this.#waitOf.set(error, sentence)
      throw error
    } finally {
      this.#open.delete(entry)
    }
  }

  #tooLate(sentence: string, ...details: readonly string[]): Error {
    return tooLate(this.#timeoutMs, sentence, [...details, ...this.#lastError(sentence)], this.#last?.error)
  }

  /** `last error: UNAVAILABLE: no connection`, and which wait saw it, if it was another one. */
  #lastError(sentence?: string): readonly string[] {
    const last = this.#last
    if (last === undefined) return []
    const where = last.sentence === sentence ? '' : ` (while waiting until ${last.sentence})`
    return [`last error: ${lineOf(last.error)}${where}`]
  }
}

/** Waits until the condition holds, as {@link Waits} does. */
export const waitUntil = (timeoutMs: number, sentence: string, condition: () => boolean | Promise<boolean>): Promise<void> =>
  new Waits(timeoutMs).waitUntil(sentence, condition)

/** Whether the same call may succeed when it is repeated. */
const isPassing = (error: unknown): boolean => ['UNAVAILABLE', 'OUTCOME_UNKNOWN'].includes(codeOf(error) ?? '')

/** `UNAVAILABLE: no connection` */
const lineOf = (error: unknown): string => `${codeOf(error)}: ${error instanceof Error ? error.message : String(error)}`

const tooLate = (ms: number, sentence: string, details: readonly string[] = [], cause?: unknown): Error =>
  new TimedOut([`Timed out after ${ms} ms waiting until ${sentence}`, ...details].join('; '), cause === undefined ? undefined : { cause })
