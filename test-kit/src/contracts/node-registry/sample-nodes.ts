import type { NodeInfo, NodeRegistry, UnreadableNode } from '@taskledger/core/ports'

/** A node that runs no task yet, with the given changes. */
export const nodeWith = (given: Partial<NodeInfo> = {}): NodeInfo => ({
  nodeId: 'worker-1#0190f2a4',
  name: 'worker-1',
  startedAt: 1_709_208_000_000,
  renewedAt: 1_709_208_000_000,
  queues: { default: 4 },
  running: 0,
  delivered: {},
  ...given,
})

/** The time to live of nodes that have to stay, in milliseconds. */
export const longTtlMs = 600_000

/** The live nodes, ordered by id. */
export const liveOn = async (registry: NodeRegistry): Promise<readonly (NodeInfo | UnreadableNode)[]> =>
  [...(await registry.live())].sort((a, b) => (a.nodeId < b.nodeId ? -1 : a.nodeId > b.nodeId ? 1 : 0))

export const idsOf = (nodes: readonly (NodeInfo | UnreadableNode)[]): readonly string[] => nodes.map(({ nodeId }) => nodeId)

/** As short as the engine can count, and long enough for a few looks. */
export const shortTtlMs = ({ capabilities }: NodeRegistry): number => 530 + 2 * capabilities.ttlGranularityMs

/** Renews a node, and says when. */
export const renewNow = async (port: NodeRegistry, nodeId: string, ttlMs: number): Promise<{ called: number; resolved: number }> => {
  const called = Date.now()
  await port.renew(nodeWith({ nodeId }), ttlMs)
  return { called, resolved: Date.now() }
}
