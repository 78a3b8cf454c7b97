import type { RandomChoices } from './random-choices.ts'

/**
 * What a forged message tells of a task.
 *
 * - `payload`, `type`, `retry`: the task has another one.
 * - `early`: the task has no `notBefore`.
 * - `other`: the first event is that of another task.
 * - `queue`: the message goes to another queue, and says that the task belongs there.
 * - `unkeyed`: the task has no idempotency key, and another payload.
 * - `times`: it was sent in the far future, and reads a version that no history reaches.
 */
export type Lie = 'payload' | 'type' | 'retry' | 'early' | 'other' | 'queue' | 'unkeyed' | 'times'

const lies: readonly Lie[] = ['payload', 'type', 'retry', 'early', 'other', 'queue', 'unkeyed', 'times']

/** A message that no node sent. */
export interface Forgery {
  /** The task that it is about: the first, second, … that is created. */
  readonly nth: number
  /** How long after the creation it is sent, in milliseconds. Often before the message of the submitter. */
  readonly afterMs: number
  readonly lie: Lie
  /** Whether the forger makes the event id fit the event, instead of keeping the id of the event in the store. */
  readonly isSigned: boolean
}

/** Draws the forgeries of a seed: in most seeds there are none. */
export const drawForgeries = (random: RandomChoices): readonly Forgery[] => {
  if (!random.is(0.2)) return []
  return Array.from({ length: random.between(1, 7) }, () => ({
    nth: random.between(0, 8),
    afterMs: random.is(0.7) ? 0 : random.between(0, 8_000),
    lie: random.of(lies),
    isSigned: random.is(0.5),
  }))
}

/** A forgery in words. */
export const describeForgery = ({ nth, afterMs, lie, isSigned }: Forgery): string =>
  `a forged message about task ${nth}, ${afterMs} ms after its creation: ${lie}${isSigned ? ', with an id that fits' : ''}`
