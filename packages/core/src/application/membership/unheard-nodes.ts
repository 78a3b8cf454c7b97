import { isUnreadableNode } from '../../ports/node-registry.ts'
import type { NodeContext } from '../node/context.ts'
import type { RegistryRead } from '../node/listener.ts'
import type { Beat } from './beat.ts'

/** How long the beats of another node may be on their way, as a share of `renewMs`. */
const graceShare = 0.2

/**
 * Finds the live nodes whose beats do not arrive: they share the storage of this node and not its messaging.
 *
 * No clock proves that, but an order of events does. A node tells the registry which of its beats it received back. This node reads
 * that, publishes a beat of its own, and receives it: on one bus the beat of the other node would have come first. A node that is cut
 * off from its own bus does not receive its beats back, so it is not suspected.
 */
export class UnheardNodes {
  readonly #node: NodeContext
  /** For each node its latest beat that arrived. */
  readonly #heard = new Map<string, number>()
  /** For each live node the latest beat that need not arrive: this node may not have listened when it was sent. */
  readonly #floors = new Map<string, number>()
  /** The nodes with a beat that is missing, each with when that was read, by `clock.elapsed()`. */
  readonly #suspected = new Map<string, number>()
  readonly #unheard = new Set<string>()
  #missedAt = -Infinity

  constructor(node: NodeContext) {
    this.#node = node
  }

  get ids(): ReadonlySet<string> {
    return this.#unheard
  }

  /** How long after a suspicion a beat of this node may confirm it, in milliseconds. */
  get graceMs(): number {
    return graceShare * this.#node.lease.settings.renewMs
  }

  hear({ node, number }: Beat): void {
    this.#heard.set(node, Math.max(number, this.#heard.get(node) ?? 0))
    this.#suspected.delete(node)
    this.#unheard.delete(node)
  }

  /** Notes that notices may have been missed: a missing beat proves nothing. */
  missed(): void {
    this.#missedAt = this.#node.clock.elapsed()
    this.#floors.clear()
    this.#suspected.clear()
  }

  /** Compares the beats in the registry with those that arrived. Returns whether a node is newly suspected. */
  compare({ live, beganAt }: RegistryRead): boolean {
    // Its beats may be among those that were missed.
    if (beganAt < this.#missedAt) return false
    this.#forgetAllBut(new Set(live.map(({ nodeId }) => nodeId)))
    const before = this.#suspected.size
    for (const node of live) {
      // The node does not tell, or is this one.
      if (isUnreadableNode(node) || node.beat === undefined || node.nodeId === this.#node.nodeId) continue
      const { nodeId, beat } = node
      const floor = this.#floors.get(nodeId)
      // It may have sent the next beat before this node listened.
      if (floor === undefined) this.#floors.set(nodeId, beat + 1)
      else if (beat > Math.max(floor, this.#heard.get(nodeId) ?? 0) && !this.#suspected.has(nodeId))
        this.#suspected.set(nodeId, this.#node.clock.elapsed())
    }
    return this.#suspected.size > before
  }

  /** Notes that this node received a beat of its own, which it sent at that time of `clock.elapsed()`. */
  receivedOwn(sentAt: number): void {
    for (const [nodeId, suspectedAt] of this.#suspected) if (sentAt - suspectedAt >= this.graceMs) this.#unheard.add(nodeId)
  }

  #forgetAllBut(live: ReadonlySet<string>): void {
    for (const nodes of [this.#heard, this.#floors, this.#suspected, this.#unheard])
      for (const nodeId of nodes.keys()) if (!live.has(nodeId)) nodes.delete(nodeId)
  }
}
