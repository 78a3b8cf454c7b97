import type { Bench } from '../bench.ts'
import { jamesLives } from '../floors/james-like.ts'
import { clientOf } from '../platforms/endpoints.ts'
import { compilerMs, processorMs } from './processor-time.ts'

/** The share of a warm server's processor time that its compiler may take: a fresh server spends more than half. */
const maxCompilerShare = 0.1

/** How long the warm-up goes on, in milliseconds. */
const maxMs = 180_000

const jamesMs = 2_000

/** The bound of one more round on a busy machine, in milliseconds. */
const roundMs = 60_000

/** The bound of the warm-up, in milliseconds. */
export const maxWarmUpMs = maxMs + roundMs

/**
 * Loads a fresh Cassandra with everything that it will be asked for, until it has compiled that. In its first minute the compiler takes more
 * than half of the processor time, and every figure would measure the compiler. Gives its own duration in milliseconds.
 */
export const warmUp = async (bench: Bench): Promise<number> => {
  const startedAt = performance.now()
  const { servers } = bench.platform
  if (servers?.own === undefined) return 0
  const clusters = await bench.clusters()
  const client = clientOf(servers.endpoints)
  await client.connect()
  try {
    const { pid } = servers.own.cassandra
    const isWarm = async (): Promise<boolean> => {
      const before = [compilerMs(pid), processorMs(pid)] as const
      await clusters.round()
      await jamesLives(client, jamesMs * bench.scale)
      return compilerMs(pid) - before[0] <= maxCompilerShare * (processorMs(pid) - before[1])
    }
    while (!(await isWarm()) && performance.now() - startedAt < maxMs * bench.scale);
  } finally {
    await client.shutdown()
  }
  return performance.now() - startedAt
}
