import { freePort } from '../process/ports.ts'
import { startCassandra } from './start.ts'
import type { EngineProcess, Say } from '../engine.ts'
import type { CassandraEndpoint } from './endpoint.ts'

/** With three replicas of everything, any one node may be away. */
const size = 3

/** The distance between the tokens of two nodes: the ring has 2^64 tokens. */
const tokenDistance = 2n ** 64n / BigInt(size)

/**
 * Starts a ring of three nodes on 127.0.0.11 to 127.0.0.13, one after the other. It takes 20 s or more, and some 0.9 GB of memory for each
 * node. Each node ends with this process, however that ends.
 *
 * @throws {@link ServerNotAvailable} as `startCassandra` does.
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
