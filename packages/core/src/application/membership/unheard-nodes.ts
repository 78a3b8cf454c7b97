import { isUnreadableNode } from '../../ports/node-registry.ts'
import type { NodeContext } from '../node/context.ts'
import type { RegistryRead } from '../node/listener.ts'
import type { Beat } from './beat.ts'
import { newRenewals } from './new-nodes.ts'

/** How long the beats of another node may be on their way, as a share of `renewMs`. */
const graceShare = 0.2

/** The beats of a node that need not arrive. */
interface Floor {
  /** The latest of them that the registry showed. */
  readonly beat: number
  /** Whether the next one that the registry shows need not arrive either. */
  readonly isNextExempt: boolean
}

/**
 * Finds the live nodes whose beats do not arrive: they share the storage of this node and not its messaging.
 *
 * No clock proves that, but an order of events does. A node tells the registry which of its beats it received back. This node reads
 * that, publishes a beat of its own, and receives it: on one bus the beat of the other node would have come first. A node that is cut
 * off from its own bus does not receive its beats back, so it is not suspected.
 *
 * A beat proves something only if it was sent while this node listened. A node sends a beat after each renewal, and shows the beat in the next
 * one. So the beat after the first one that was read may be older than this node. If an earlier read of this node lacked the other one, its
 * renewal was later than that read, and so were its beats.
 */
export class UnheardNodes {
  readonly #node: NodeContext
  /** For each node its latest beat that arrived, and when, by `clock.elapsed()`. */
  readonly #heard = new Map<string, { readonly number: number; readonly at: number }>()
  /** When a live node was first read, by `clock.elapsed()`. */
  readonly #readSince = new Map<string, number>()
  readonly #floors = new Map<string, Floor>()
  /** The nodes with a beat that is missing, each with when that was read, by `clock.elapsed()`. */
  readonly #suspected = new Map<string, number>()
  readonly #unheard = new Set<string>()
  /** The nodes of the latest read, if no notice was missed since. */
  #before: ReadonlySet<string> | undefined
  #missedAt = -Infinity

  constructor(node: NodeContext) {
    this.#node = node
  }

  get ids(): ReadonlySet<string> {
    return this.#unheard
  }

  /** Whether a node was first read a short while ago, and is not heard. */
  get hasNew(): boolean {
    const { clock, lease } = this.#node
    const newSince = clock.elapsed() - newRenewals * lease.settings.renewMs
    for (const [nodeId, since] of this.#readSince) if (since > newSince && !this.#heard.has(nodeId)) return true
    return false
  }

  /** How long after a suspicion a beat of this node may confirm it, in milliseconds. */
  get graceMs(): number {
    return graceShare * this.#node.lease.settings.renewMs
  }

  hear({ node, number }: Beat): void {
    this.#heard.set(node, { number: Math.max(number, this.#heard.get(node)?.number ?? 0), at: this.#node.clock.elapsed() })
    this.#suspected.delete(node)
    this.#unheard.delete(node)
  }

  /** Notes that notices may have been missed: a missing beat proves nothing. */
  missed(): void {
    this.#missedAt = this.#node.clock.elapsed()
    this.#floors.clear()
    this.#suspected.clear()
    this.#before = undefined
  }

  /** Compares the beats in the registry with those that arrived. Returns whether a node is newly suspected. */
  compare({ live, beganAt }: RegistryRead): boolean {
    const ids = new Set(live.map(({ nodeId }) => nodeId))
    this.#forgetAllBut(ids, beganAt)
    const sizeBefore = this.#suspected.size
    for (const node of live) {
      // The node does not tell, or is this one.
      if (isUnreadableNode(node) || node.beat === undefined || node.nodeId === this.#node.nodeId) continue
      const { nodeId, beat } = node
      if (!this.#readSince.has(nodeId)) this.#readSince.set(nodeId, this.#node.clock.elapsed())
      // Its beats may be among those that were missed.
      if (beganAt < this.#missedAt) continue
      this.#compareBeat(nodeId, beat)
    }
    if (beganAt >= this.#missedAt) this.#before = ids
    return this.#suspected.size > sizeBefore
  }

  /** Notes that this node received a beat of its own, which it sent at that time of `clock.elapsed()`. */
  receivedOwn(sentAt: number): void {
    for (const [nodeId, suspectedAt] of this.#suspected) if (sentAt - suspectedAt >= this.graceMs) this.#unheard.add(nodeId)
  }

  #compareBeat(nodeId: string, beat: number): void {
    const floor = this.#floors.get(nodeId)
    if (floor === undefined) {
      const isNewcomer = this.#before !== undefined && !this.#before.has(nodeId)
      this.#floors.set(nodeId, { beat, isNextExempt: !isNewcomer })
    } else if (beat <= floor.beat) return
    else if (floor.isNextExempt) this.#floors.set(nodeId, { beat, isNextExempt: false })
    else if (beat > (this.#heard.get(nodeId)?.number ?? 0) && !this.#suspected.has(nodeId))
      this.#suspected.set(nodeId, this.#node.clock.elapsed())
  }

  #forgetAllBut(live: ReadonlySet<string>, beganAt: number): void {
    for (const nodes of [this.#readSince, this.#floors, this.#suspected, this.#unheard])
      for (const nodeId of nodes.keys()) if (!live.has(nodeId)) nodes.delete(nodeId)
    // The beat of a node that has just joined may arrive before a read that lacks the node is answered.
    const { ttlMs } = this.#node.lease.settings
    for (const [nodeId, { at }] of this.#heard) if (!live.has(nodeId) && beganAt - at > ttlMs) this.#heard.delete(nodeId)
  }
}
