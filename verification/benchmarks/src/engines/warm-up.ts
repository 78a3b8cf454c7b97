import type { Bench } from './bench.ts'
import { clientOf } from './engines.ts'
import { compilerMs, processorMs } from './processor-time.ts'
import { jamesLives } from './programs/floors.ts'

/** So much of a server's processor time may still be its compiler's once it is warm: a fresh one's is more than half. */
const settledShare = 0.1

/** The longest that it is waited for, in milliseconds. */
const longestMs = 180_000

const jamesMs = 2_000

/** What one round more may take, on a busy machine, in milliseconds. */
const roundMs = 60_000

/** No warm-up takes longer, in milliseconds. */
export const longestWarmUpMs = longestMs + roundMs

/**
 * Keeps a fresh Cassandra busy with all that it will be asked for, until it has compiled it. In its first minute more than half of its
 * processor time is the compiler's, and every figure would be about that. Gives how long it took, in milliseconds.
 */
export const warmUp = async (bench: Bench): Promise<number> => {
  const startedAt = performance.now()
  const { own } = bench
  if (own === undefined) return 0
  const clusters = await bench.clusters()
  const client = clientOf(bench.engines)
  await client.connect()
  try {
    const { pid } = own.cassandra
    const isSettled = async (): Promise<boolean> => {
      const before = [compilerMs(pid), processorMs(pid)] as const
      await clusters.round()
      await jamesLives(client, jamesMs * bench.scale)
      return compilerMs(pid) - before[0] <= settledShare * (processorMs(pid) - before[1])
    }
    while (!(await isSettled()) && performance.now() - startedAt < longestMs * bench.scale);
  } finally {
    await client.shutdown()
  }
  return performance.now() - startedAt
}
