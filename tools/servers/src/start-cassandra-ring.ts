import { freePort } from './ports.ts'
import { startCassandra } from './start-cassandra.ts'
import type { CassandraEndpoint, EngineProcess, Say } from './types.ts'

/** How many nodes it has: with three replicas of everything, any one of them may be away. */
const size = 3

/** How far apart the tokens of the nodes lie: the ring has 2^64. */
const tokenDistance = 2n ** 64n / BigInt(size)

/**
 * Starts a ring of three nodes on 127.0.0.11 to 127.0.0.13, one after the other: 20 s and more, and some 0.9 GB of memory each.
 * Each node may be made to suffer by itself. Each ends with this process, however that ends.
 *
 * @throws as `startCassandra`.
 */
export const startCassandraRing = async ({
  say,
  name,
}: {
  readonly say: Say
  readonly name: string
}): Promise<readonly EngineProcess<CassandraEndpoint>[]> => {
  const addresses = Array.from({ length: size }, (_, index) => `127.0.0.${11 + index}`)
  const [seed = ''] = addresses
  const ports = { nativePort: await freePort(seed), storagePort: await freePort(seed) }
  const nodes: EngineProcess<CassandraEndpoint>[] = []
  try {
    for (const [index, address] of addresses.entries()) {
      const token = -(2n ** 63n) + BigInt(index) * tokenDistance
      nodes.push(await startCassandra({ say, name: `${name}-${index + 1}`, isShortLived: true, ring: { address, seed, token, ...ports } }))
    }
  } catch (error) {
    await Promise.all(nodes.map((node) => node.stop()))
    throw error
  }
  return nodes
}
