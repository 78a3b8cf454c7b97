/**
 * A stream of numbers in [0, 1) that the seed repeats (Mulberry32). Each `purpose` has its own stream.
 */
export const seededRandom = (seed: number, purpose = ''): (() => number) => {
  let state = seed >>> 0
  for (const character of purpose) state = (Math.imul(state, 31) + (character.codePointAt(0) ?? 0)) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
