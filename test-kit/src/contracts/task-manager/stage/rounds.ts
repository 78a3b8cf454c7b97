/** Runs a number of rounds, some of them at a time: over a network a round mostly waits, and rounds do not depend on each other. */
export const runRounds = async (rounds: number, atATime: number, run: (round: number) => Promise<void>): Promise<void> => {
  let next = 0
  const runNext = async (): Promise<void> => {
    while (next < rounds) await run(next++)
  }
  await Promise.all(Array.from({ length: atATime }, runNext))
}
