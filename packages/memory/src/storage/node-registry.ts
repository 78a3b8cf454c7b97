import { decodeNodeEntry } from '@taskledger/core/codec'
import type { CallOptions, Clock, NodeInfo, NodeRegistry, NodeRegistryCapabilities, UnreadableNode } from '@taskledger/core/ports'
import { copyOf } from '../copy.ts'
import { Gate } from '../gate.ts'

interface KnownNode {
  /** What the node said of itself, or text that no codec wrote, which a test put there. */
  readonly entry: NodeInfo | string
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
    this.#nodes.set(node.nodeId, { entry: copyOf(node), expiresAt: this.#clock.elapsed() + ttlMs })
  }

  async leave(nodeId: string, options?: CallOptions): Promise<void> {
    this.#gate.pass(options?.signal)
    this.#nodes.delete(nodeId)
  }

  // Nodes expire when they are read: a timer per node would keep the process running.
  async live(options?: CallOptions): Promise<readonly (NodeInfo | UnreadableNode)[]> {
    this.#gate.pass(options?.signal)
    const now = this.#clock.elapsed()
    for (const [nodeId, { expiresAt }] of this.#nodes) if (expiresAt <= now) this.#nodes.delete(nodeId)
    return Array.from(this.#nodes, ([nodeId, { entry }]) => (typeof entry === 'string' ? decodeNodeEntry(entry, nodeId) : copyOf(entry)))
  }

  async close(): Promise<void> {
    this.#gate.shut()
  }
}

/** Puts text in the place of the entry of a node, as damage would. The node keeps its time to live. */
export const spoilNode = (nodes: KnownNodes, nodeId: string, text: string): void => {
  const known = nodes.get(nodeId)
  if (known !== undefined) nodes.set(nodeId, { ...known, entry: text })
}
