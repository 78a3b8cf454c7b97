/** Goes through so many rounds, some of them at a time: over a network a round is waiting for the most part, and rounds do not mind one another. */
export const inLanes = async (rounds: number, lanes: number, round: (round: number) => Promise<void>): Promise<void> => {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < rounds) await round(next++)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
