import type { NodeContext } from '../node/context.ts'
import type { RegistryRead } from '../node/listener.ts'
import type { Beat } from './beat.ts'

/** This number of beats, each with a later read of the registry that lacks their node, prove that the node is in another registry. */
const enough = 2

/** When beats of a node arrived, by `clock.elapsed()`. */
interface Heard {
  readonly latestAt: number
  /** The earliest beat that no read of the registry has followed. */
  readonly newAt: number | undefined
  /** How many beats were followed by a read without the node. */
  readonly absent: number
}

/**
 * Finds the nodes whose beats arrive although the registry does not have them: they share the messaging of this node and not its storage.
 * A node that was in the registry once is never one of them, however late its beats arrive.
 */
export class UnlistedNodes {
  readonly #node: NodeContext
  readonly #heard = new Map<string, Heard>()

  constructor(node: NodeContext) {
    this.#node = node
  }

  get ids(): ReadonlySet<string> {
    return new Set([...this.#heard].flatMap(([nodeId, { absent }]) => (absent >= enough ? [nodeId] : [])))
  }

  hear({ node, isRenewed }: Beat): void {
    // A node that cannot renew its lease is in no registry.
    if (!isRenewed) return
    const now = this.#node.clock.elapsed()
    const { newAt = now, absent = 0 } = this.#heard.get(node) ?? {}
    this.#heard.set(node, { latestAt: now, newAt, absent })
  }

  compare({ live, beganAt }: RegistryRead): void {
    const listed = new Set(live.map(({ nodeId }) => nodeId))
    const { ttlMs } = this.#node.lease.settings
    for (const [nodeId, { latestAt, newAt, absent }] of this.#heard)
      // A node whose clock is known was in the registry: it has left, and its last beats are late.
      if (listed.has(nodeId) || this.#node.clocks.knows(nodeId) || beganAt - latestAt > ttlMs) this.#heard.delete(nodeId)
      else if (newAt !== undefined && newAt <= beganAt)
        // A beat that arrived during this read proves nothing for the next one: a registry may answer both at once, after the node has left.
        this.#heard.set(nodeId, { latestAt, newAt: undefined, absent: absent + 1 })
  }
}
