import { endAll, startBareNodes, startNodes, freshPrefix } from './bench.ts'
import type { Bench } from './bench.ts'
import { clientOf } from './engines.ts'
import { measure } from './measured.ts'
import { compilerMs, processorMs } from './processor-time.ts'
import { jamesLives } from './programs/floors.ts'

/** So much of a server's processor time may still be its compiler's once it is warm: a fresh one's is more than half. */
const settledShare = 0.1

/** The longest that it is waited for, in milliseconds. */
const longestMs = 180_000

const [slots, tasks, jamesMs] = [64, 3_000, 2_000]

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
  const client = clientOf(bench.engines)
  await client.connect()
  const nodes = { 'worker-1': slots, 'worker-2': slots, submitter: 0 }
  const clusters = [await startNodes(bench, { prefix: freshPrefix(), nodes }), await startBareNodes(bench, slots)] as const
  try {
    const burst = { count: Math.ceil(tasks * bench.scale), atOnce: slots, awaits: 'all' } as const
    const { pid } = own.cassandra
    const isSettled = async (): Promise<boolean> => {
      const before = [compilerMs(pid), processorMs(pid)] as const
      for (const cluster of clusters) await measure(bench, cluster, burst)
      await jamesLives(client, jamesMs * bench.scale)
      return compilerMs(pid) - before[0] <= settledShare * (processorMs(pid) - before[1])
    }
    while (!(await isSettled()) && performance.now() - startedAt < longestMs * bench.scale);
  } finally {
    await endAll(clusters.flat())
    await client.shutdown()
  }
  return performance.now() - startedAt
}
