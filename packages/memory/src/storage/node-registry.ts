import type { CallOptions, Clock, NodeInfo, NodeRegistry, NodeRegistryCapabilities } from '@taskledger/core/ports'
import { copyOf } from '../copy.ts'
import { Gate } from '../gate.ts'

interface KnownNode {
  readonly node: NodeInfo
  /** By `clock.elapsed()`: the wall clock may be set. */
  readonly expiresAt: number
}

export type KnownNodes = Map<string, KnownNode>

/** One client of the node registry. */
export class MemoryNodeRegistry implements NodeRegistry {
  readonly capabilities: NodeRegistryCapabilities = { ttlGranularityMs: 0 }
  readonly #gate = new Gate('the node registry')
  readonly #nodes: KnownNodes
  readonly #clock: Clock

  constructor(nodes: KnownNodes, clock: Clock) {
    this.#nodes = nodes
    this.#clock = clock
  }

  async renew(node: NodeInfo, ttlMs: number, options?: CallOptions): Promise<void> {
    this.#gate.pass(options?.signal)
    this.#nodes.set(node.nodeId, { node: copyOf(node), expiresAt: this.#clock.elapsed() + ttlMs })
  }

  async leave(nodeId: string, options?: CallOptions): Promise<void> {
    this.#gate.pass(options?.signal)
    this.#nodes.delete(nodeId)
  }

  // Nodes expire when they are read: a timer per node would keep the process running.
  async live(options?: CallOptions): Promise<readonly NodeInfo[]> {
    this.#gate.pass(options?.signal)
    const now = this.#clock.elapsed()
    for (const [nodeId, { expiresAt }] of this.#nodes) if (expiresAt <= now) this.#nodes.delete(nodeId)
    return [...this.#nodes.values()].map(({ node }) => copyOf(node))
  }

  async close(): Promise<void> {
    this.#gate.shut()
  }
}
