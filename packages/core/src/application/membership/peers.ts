import type { CancelSchedule } from '../../ports/shared/clock.ts'
import type { NodeContext } from '../node/context.ts'
import type { RegistryRead } from '../node/listener.ts'
import type { Beat } from './beat.ts'
import { UnheardNodes } from './unheard-nodes.ts'
import { UnlistedNodes } from './unlisted-nodes.ts'

/**
 * What a node does not share with this node. `messaging`: both are in one node registry, and its notices do not arrive here. `storage`: its
 * notices arrive, and the node registry does not have it.
 */
export type ApartReason = 'messaging' | 'storage'

/** A live node that shares only the storage, or only the messaging, with this node: one of the two is configured wrongly. */
export interface ApartNode {
  readonly nodeId: string
  /** What the two nodes do not share. */
  readonly lacks: ApartReason
  /** When this node found that, in milliseconds since 1970. */
  readonly since: number
}

/** How many nodes a log line names. */
const maxNamed = 10

/** Compares the nodes of the registry with the nodes that are heard on the bus. */
export class Peers {
  readonly #node: NodeContext
  readonly #unheard: UnheardNodes
  readonly #unlisted: UnlistedNodes
  readonly #sendBeat: () => void
  #apart: readonly ApartNode[] = []
  #others = 0
  #isCompared = false
  #isStopped = false
  #cancelBeat: CancelSchedule = () => {}

  constructor(parts: {
    readonly node: NodeContext
    /** Publishes a beat of this node: its receipt confirms a suspicion. */
    readonly sendBeat: () => void
  }) {
    this.#node = parts.node
    this.#sendBeat = parts.sendBeat
    this.#unheard = new UnheardNodes(parts.node)
    this.#unlisted = new UnlistedNodes(parts.node)
  }

  /** The nodes that share only storage or only messaging with this node. */
  get apart(): readonly ApartNode[] {
    return this.#apart
  }

  /** Whether this node has compared the registry with the bus. */
  get isCompared(): boolean {
    return this.#isCompared
  }

  /** Whether this node is one of the larger part: it shares storage and messaging with more nodes than it lacks, itself included. */
  get isWithMost(): boolean {
    return this.#apart.length === 0 || 1 + this.#others - this.#apart.length > this.#apart.length
  }

  /** Whether another node is new, and may be apart. This node then hurries, so that both find out. */
  get hasNew(): boolean {
    return !this.#isStopped && (this.#unheard.hasNew || this.#unlisted.hasNew)
  }

  isApart(nodeId: string): boolean {
    return this.#apart.some((node) => node.nodeId === nodeId)
  }

  /** Takes the beat of another node. */
  hear(beat: Beat): void {
    this.#unheard.hear(beat)
    this.#unlisted.hear(beat)
    this.#update()
  }

  /** Notes that notices may have been missed. */
  missed(): void {
    this.#unheard.missed()
  }

  /** Notes that this node received a beat of its own, which it sent at that time of `clock.elapsed()`. */
  receivedOwn(sentAt: number): void {
    this.#unheard.receivedOwn(sentAt)
    this.#update()
  }

  compare(read: RegistryRead): void {
    if (!read.isSound) return
    this.#isCompared = true
    this.#unlisted.compare(read)
    const isSuspected = this.#unheard.compare(read)
    this.#others = new Set([...read.live.map(({ nodeId }) => nodeId), ...this.#unlisted.ids]).size - 1
    if (isSuspected && !this.#isStopped) {
      this.#cancelBeat()
      this.#cancelBeat = this.#node.clock.schedule(this.#unheard.graceMs, this.#sendBeat)
    }
    this.#update()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelBeat()
  }

  #update(): void {
    const before = this.#apart
    this.#apart = [...this.#found('messaging', this.#unheard.ids), ...this.#found('storage', this.#unlisted.ids)]
    const { logger } = this.#node
    const added = (lacks: ApartReason): readonly string[] =>
      this.#apart.filter((node) => node.lacks === lacks && !before.includes(node)).map(({ nodeId }) => nodeId)
    const [unheard, unlisted] = [added('messaging'), added('storage')]
    if (unheard.length > 0)
      logger.error(
        { nodes: unheard.slice(0, maxNamed), count: unheard.length },
        'received no notices of live nodes: they use another broker, virtual host or prefix than this node',
      )
    if (unlisted.length > 0)
      logger.error(
        { nodes: unlisted.slice(0, maxNamed), count: unlisted.length },
        'received notices of nodes that the node registry does not have: they use another database, keyspace or prefix than this node',
      )
    if (before.length > 0 && this.#apart.length === 0) logger.info({}, 'shares storage and messaging with every live node again')
  }

  #found(lacks: ApartReason, nodeIds: ReadonlySet<string>): readonly ApartNode[] {
    const since = this.#node.clock.now()
    const known = this.#apart.filter((node) => node.lacks === lacks && nodeIds.has(node.nodeId))
    const added = [...nodeIds].filter((nodeId) => !known.some((node) => node.nodeId === nodeId))
    return [...known, ...added.map((nodeId) => ({ nodeId, lacks, since }))]
  }
}
