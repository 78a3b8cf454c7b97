/** More parts than any mail program makes. */
const maxParts = 10_000

/** The base64 of the largest message has fewer. */
const maxLines = 500_000

/** A book has fewer. A line of text costs the parser some fifteen times as much as one of base64, which is longer. */
const maxShortLines = 50_000
const shortBytes = 40

const newline = 0x0a
const dash = 0x2d

/** A message whose parsing takes a bounded number of steps. */
export interface Bounded {
  readonly message: Buffer
  /** What was left out, in words; undefined if nothing was. */
  readonly defect?: string
}

/**
 * Cuts a message where it has too many lines or parts: the parser takes some microseconds for each of them, and keeps them all in memory.
 */
export const bounded = (message: Buffer): Bounded => {
  let lines = 0
  let shortLines = 0
  let parts = 0
  let before = -1
  for (let at = message.indexOf(newline); at !== -1; at = message.indexOf(newline, at + 1)) {
    if (++lines > maxLines) return cut(message, at, `${maxLines} lines`)
    if (at - before <= shortBytes && ++shortLines > maxShortLines) return cut(message, at, `${maxShortLines} short lines`)
    before = at
    // Any such line may be the boundary of a part.
    if (message[at + 1] === dash && message[at + 2] === dash && ++parts > maxParts) return cut(message, at, `${maxParts} parts`)
  }
  return { message }
}

const cut = (message: Buffer, at: number, most: string): Bounded => ({
  message: message.subarray(0, at + 1),
  defect: `it has more than ${most}: only these were read`,
})
