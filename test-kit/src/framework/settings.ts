import { randomInt } from 'node:crypto'
import process from 'node:process'
import type { Timing } from './harness.ts'

/** How a contract is run. */
export interface RunSettings {
  /** Repeats the order of an earlier run. Default: the variable CONTRACT_SEED, else a random seed. */
  readonly seed?: number | undefined
}

/** The given seed of a run, or a random one. */
export const seedOf = ({ seed }: RunSettings): number => seed ?? numberFrom('CONTRACT_SEED') ?? randomInt(2 ** 31)

const defaults: Required<Timing> = { deadlineMs: 10_000, openMs: 60_000, hookMs: 120_000, disposeMs: 30_000 }

/** Deadlines in milliseconds. CONTRACT_TIME_SCALE, 1 by default, makes them longer on a slow machine. */
export const timesOf = (timing: Timing = {}): Required<Timing> => {
  const scale = numberFrom('CONTRACT_TIME_SCALE') ?? 1
  const { deadlineMs, openMs, hookMs, disposeMs } = { ...defaults, ...timing }
  return { deadlineMs: deadlineMs * scale, openMs: openMs * scale, hookMs: hookMs * scale, disposeMs: disposeMs * scale }
}

const numberFrom = (name: string): number | undefined => {
  const text = process.env[name]
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new TypeError(`${name} is "${text}": give a number above 0`)
  return value
}
