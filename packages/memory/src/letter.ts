import type { WorkMessage } from '@taskledger/core/ports'

/** A message with what is known of its way so far. */
export interface Letter {
  /** The message, or text that no codec wrote: put there to see what becomes of it. */
  readonly body: WorkMessage | string
  readonly redelivered: boolean
  readonly releases: number
}

/** A message that nobody could use. */
export interface DeadLetter {
  /** The message as the codec writes it, or what else was found in its place. */
  readonly text: string
  readonly why: string
}

/** What a consumer needs of its queue. */
export interface LetterBox {
  readonly name: string
  add(letter: Letter): void
  /** Puts a letter before all others: it was taken before them. */
  addFirst(letter: Letter): void
  addLater(letter: Letter, delayMs: number): void
  /** Puts a letter with the dead ones. */
  bury(letter: Letter, why: string): void
  /** There may be a free slot. */
  wake(): void
  /** A handler ended, or is not waited for any longer. */
  ended(): void
}
