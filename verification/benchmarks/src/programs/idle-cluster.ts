import type { Bench } from '../bench.ts'
import type { Node } from '../platforms/platform.ts'

/** A process is compiled while it runs: these tasks come before the measurement. */
const warmUpTasks = 10_000

/** Warms up a node whose latencies are measured. */
export const warmUpNode = async (submitter: Node, scale: number): Promise<void> => {
  await submitter.call('burst', { count: Math.ceil(warmUpTasks * scale), atOnce: 16, awaits: 'each' })
}

/** Aims for servers: the memory adapters have none. */
export const aimsOnServers = ({ platform }: Bench, aims: readonly string[]): readonly string[] => (platform.name === 'servers' ? aims : [])
