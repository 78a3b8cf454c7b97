import type { NodeContext } from '../node/context.ts'
import type { RegistryRead } from '../node/listener.ts'
import type { Beat } from './beat.ts'
import { newRenewals } from './new-nodes.ts'

/** This number of beats, each with a later read of the registry that lacks their node, prove that the node is in another registry. */
const enough = 3

/** When beats of a node arrived, by `clock.elapsed()`. */
interface Heard {
  readonly firstAt: number
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
  /** The nodes of the latest read. */
  #listed: ReadonlySet<string> = new Set()

  constructor(node: NodeContext) {
    this.#node = node
  }

  get ids(): ReadonlySet<string> {
    return new Set([...this.#heard].flatMap(([nodeId, { absent }]) => (absent >= enough ? [nodeId] : [])))
  }

  /** Whether a node was first heard a short while ago, and is not listed. */
  get hasNew(): boolean {
    const { clock, clocks, lease } = this.#node
    const newSince = clock.elapsed() - newRenewals * lease.settings.renewMs
    for (const [nodeId, { firstAt }] of this.#heard)
      if (firstAt > newSince && !this.#listed.has(nodeId) && !clocks.knows(nodeId)) return true
    return false
  }

  hear({ node, isRenewed }: Beat): void {
    // A node that cannot renew its lease is in no registry.
    if (!isRenewed) return
    const now = this.#node.clock.elapsed()
    const { firstAt = now, newAt = now, absent = 0 } = this.#heard.get(node) ?? {}
    this.#heard.set(node, { firstAt, latestAt: now, newAt, absent })
  }

  compare({ live, beganAt }: RegistryRead): void {
    const listed = new Set(live.map(({ nodeId }) => nodeId))
    this.#listed = listed
    const { ttlMs } = this.#node.lease.settings
    for (const [nodeId, { firstAt, latestAt, newAt, absent }] of this.#heard)
      // A node whose clock is known was in the registry: it has left, and its last beats are late.
      if (listed.has(nodeId) || this.#node.clocks.knows(nodeId) || beganAt - latestAt > ttlMs) this.#heard.delete(nodeId)
      else if (newAt !== undefined && newAt <= beganAt)
        // A beat that arrived during this read proves nothing for the next one: a registry may answer both at once, after the node has left.
        this.#heard.set(nodeId, { firstAt, latestAt, newAt: undefined, absent: absent + 1 })
  }
}
