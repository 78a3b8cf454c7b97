import type { CallOptions, NodeInfo, NodeRegistry, NodeRegistryCapabilities, UnreadableNode } from '@taskledger/core/ports'
import { closedError, TaskledgerError } from '@taskledger/core/ports'
import { nodeRegistryContract } from '@taskledger/test-kit'
import { describe } from 'vitest'
import type { Mutant } from '../run-mutant.ts'
import { describeMutants, everyRuleIsCaught } from '../run-mutant.ts'

interface Known {
  readonly node: NodeInfo
  readonly expiresAt: number
  /** Whether its entry cannot be decoded. */
  readonly isSpoilt?: boolean
}

/** The nodes that the clients of a plain registry share. */
type Nodes = Map<string, Known>

/** A correct registry in small steps. A mutant gets one step wrong. */
class PlainRegistry implements NodeRegistry {
  readonly capabilities: NodeRegistryCapabilities = { ttlGranularityMs: 0 }
  readonly nodes: Nodes
  #closed = false

  constructor(nodes: Nodes) {
    this.nodes = nodes
  }

  async renew(node: NodeInfo, ttlMs: number, options?: CallOptions): Promise<void> {
    this.enter(options)
    const key = this.keyOf(node)
    const known = this.nodes.get(key)
    this.nodes.set(key, { node: this.shownAfter(node, known), expiresAt: this.expiryOf(ttlMs, known) })
  }

  async leave(nodeId: string, options?: CallOptions): Promise<void> {
    this.enter(options)
    for (const [key, { node }] of this.nodes) if (node.nodeId === nodeId) this.nodes.delete(key)
  }

  async live(options?: CallOptions): Promise<readonly (NodeInfo | UnreadableNode)[]> {
    this.enter(options)
    return [...this.nodes.values()].filter((known) => this.isLive(known)).flatMap((known) => this.shown(known))
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  enter(options?: CallOptions): void {
    if (this.#closed) throw closedError('the plain registry')
    options?.signal?.throwIfAborted()
  }

  keyOf({ nodeId }: NodeInfo): string {
    return nodeId
  }

  expiryOf(ttlMs: number, _known: Known | undefined): number {
    return Date.now() + ttlMs
  }

  shownAfter(node: NodeInfo, _known: Known | undefined): NodeInfo {
    return this.copyOf(node)
  }

  isLive({ expiresAt }: Known): boolean {
    return Date.now() < expiresAt
  }

  shown({ node, isSpoilt = false }: Known): readonly (NodeInfo | UnreadableNode)[] {
    return [isSpoilt ? { nodeId: node.nodeId, unreadable: 'it is spoilt' } : this.copyOf(node)]
  }

  copyOf(node: NodeInfo): NodeInfo {
    return structuredClone(node)
  }
}

const mutant = (name: string, fails: readonly string[], Registry: new (nodes: Nodes) => NodeRegistry): Mutant<NodeRegistry> => ({
  name,
  fails,
  contract: nodeRegistryContract({
    name: 'mutant',
    timing: { deadlineMs: 4_000 },
    open: async () => {
      const nodes: Nodes = new Map()
      return {
        port: new Registry(nodes),
        peer: async () => new Registry(nodes),
        inject: async (_bytes, nodeId) => {
          for (const [key, known] of nodes) if (known.node.nodeId === nodeId) nodes.set(key, { ...known, isSpoilt: true })
        },
        inspect: () => nodes,
      }
    },
  }),
})

const mutants: readonly Mutant<NodeRegistry>[] = [
  mutant('is right: the base of the mutants', [], PlainRegistry),
  mutant(
    'forgets no node',
    ['NR-1.2', 'NR-1.4', 'NR-1.5', 'NR-3.2'],
    class extends PlainRegistry {
      override isLive(): boolean {
        return true
      }
    },
  ),
  mutant(
    'forgets every node at once',
    ['NR-1.1', 'NR-1.2', 'NR-1.3', 'NR-1.4', 'NR-1.5', 'NR-2.1', 'NR-2.2', 'NR-3.1', 'NR-3.2'],
    class extends PlainRegistry {
      override isLive(): boolean {
        return false
      }
    },
  ),
  mutant(
    'forgets nodes too early',
    ['NR-1.2', 'NR-1.4', 'NR-1.5'],
    class extends PlainRegistry {
      // Coarse, so that the time to live is long enough for a busy machine.
      override readonly capabilities = { ttlGranularityMs: 1_000 }

      override expiryOf(ttlMs: number): number {
        return Date.now() + ttlMs / 10
      }
    },
  ),
  mutant(
    'forgets nodes far too late',
    ['NR-1.2', 'NR-1.4', 'NR-1.5', 'NR-3.2'],
    class extends PlainRegistry {
      override expiryOf(ttlMs: number): number {
        return Date.now() + 40 * ttlMs
      }
    },
  ),
  mutant(
    'counts in steps of five seconds and says that they are of one',
    ['NR-1.2', 'NR-1.4', 'NR-1.5', 'NR-3.2'],
    class extends PlainRegistry {
      override readonly capabilities = { ttlGranularityMs: 1_000 }

      override expiryOf(ttlMs: number): number {
        return Date.now() + Math.ceil(ttlMs / 5_000) * 5_000
      }
    },
  ),
  mutant(
    'counts the time from the first renewal',
    ['NR-1.5'],
    class extends PlainRegistry {
      override expiryOf(ttlMs: number, known: Known | undefined): number {
        return known !== undefined && this.isLive(known) ? known.expiresAt : Date.now() + ttlMs
      }
    },
  ),
  mutant(
    'never shortens the time of a node',
    ['NR-1.5'],
    class extends PlainRegistry {
      override expiryOf(ttlMs: number, known: Known | undefined): number {
        return Math.max(known?.expiresAt ?? 0, Date.now() + ttlMs)
      }
    },
  ),
  mutant(
    'renews every node when one renews',
    ['NR-1.4'],
    class extends PlainRegistry {
      override async renew(node: NodeInfo, ttlMs: number, options?: CallOptions): Promise<void> {
        await super.renew(node, ttlMs, options)
        for (const [key, known] of this.nodes) {
          if (this.isLive(known)) this.nodes.set(key, { node: known.node, expiresAt: Math.max(known.expiresAt, Date.now() + ttlMs) })
        }
      }
    },
  ),
  mutant(
    'ignores a node that leaves',
    ['NR-1.3', 'NR-1.4', 'NR-3.2'],
    class extends PlainRegistry {
      override async leave(_nodeId: string, options?: CallOptions): Promise<void> {
        this.enter(options)
      }
    },
  ),
  mutant(
    'removes every node when one leaves',
    ['NR-1.3', 'NR-1.4'],
    class extends PlainRegistry {
      override async leave(_nodeId: string, options?: CallOptions): Promise<void> {
        this.enter(options)
        this.nodes.clear()
      }
    },
  ),
  mutant(
    'ignores the renewal of a node that has left',
    ['NR-1.3'],
    class extends PlainRegistry {
      readonly #left = new Set<string>()

      override async leave(nodeId: string, options?: CallOptions): Promise<void> {
        await super.leave(nodeId, options)
        this.#left.add(nodeId)
      }

      override async renew(node: NodeInfo, ttlMs: number, options?: CallOptions): Promise<void> {
        if (!this.#left.has(node.nodeId)) await super.renew(node, ttlMs, options)
        else this.enter(options)
      }
    },
  ),
  mutant(
    'identifies nodes by name',
    ['NR-1.3', 'NR-1.4'],
    class extends PlainRegistry {
      override keyOf({ name }: NodeInfo): string {
        return name
      }
    },
  ),
  mutant(
    'writes the whole list back',
    ['NR-1.4'],
    class extends PlainRegistry {
      override async renew(node: NodeInfo, ttlMs: number, options?: CallOptions): Promise<void> {
        this.enter(options)
        const before = [...this.nodes]
        await new Promise((resolve) => setImmediate(resolve))
        this.nodes.clear()
        for (const [key, known] of before) this.nodes.set(key, known)
        await super.renew(node, ttlMs, options)
      }
    },
  ),
  mutant(
    'shows the data of the first renewal',
    ['NR-1.1'],
    class extends PlainRegistry {
      override shownAfter(node: NodeInfo, known: Known | undefined): NodeInfo {
        return known?.node ?? super.shownAfter(node, known)
      }
    },
  ),
  mutant(
    'keeps only the data that every node has',
    ['NR-1.1'],
    class extends PlainRegistry {
      override copyOf(node: NodeInfo): NodeInfo {
        const { beat: _beat, blocked: _blocked, ...rest } = super.copyOf(node)
        return rest
      }
    },
  ),
  mutant(
    'merges the data of two renewals',
    ['NR-1.1'],
    class extends PlainRegistry {
      override shownAfter(node: NodeInfo, known: Known | undefined): NodeInfo {
        return { ...this.copyOf(node), delivered: { ...known?.node.delivered, ...node.delivered } }
      }
    },
  ),
  mutant(
    'writes one byte for each character',
    ['NR-2.1'],
    class extends PlainRegistry {
      override copyOf(node: NodeInfo): NodeInfo {
        return JSON.parse(Buffer.from(JSON.stringify(node), 'latin1').toString('latin1')) as NodeInfo
      }
    },
  ),
  mutant(
    'keeps and returns the objects of its callers',
    ['NR-2.2'],
    class extends PlainRegistry {
      override copyOf(node: NodeInfo): NodeInfo {
        return node
      }
    },
  ),
  mutant(
    'leaves out nodes whose entries it cannot decode',
    ['NR-3.1'],
    class extends PlainRegistry {
      override shown(known: Known): readonly (NodeInfo | UnreadableNode)[] {
        return known.isSpoilt === true ? [] : super.shown(known)
      }
    },
  ),
  mutant(
    'fails at an entry that it cannot decode',
    ['NR-3.1', 'NR-3.2'],
    class extends PlainRegistry {
      override shown(known: Known): readonly (NodeInfo | UnreadableNode)[] {
        if (known.isSpoilt === true) throw new TaskledgerError('MALFORMED', 'an entry cannot be decoded')
        return super.shown(known)
      }
    },
  ),
  mutant(
    'makes up the entry of a node that it cannot decode',
    ['NR-3.1'],
    class extends PlainRegistry {
      override shown({ node, ...known }: Known): readonly (NodeInfo | UnreadableNode)[] {
        const { nodeId } = node
        const madeUp = { nodeId, name: nodeId, startedAt: 0, renewedAt: 0, queues: {}, running: 0, delivered: {} }
        return super.shown(known.isSpoilt === true ? { ...known, node: madeUp, isSpoilt: false } : { ...known, node })
      }
    },
  ),
  mutant(
    'keeps the time to live in the entry, and shows a node for ever whose entry it cannot decode',
    ['NR-3.2'],
    class extends PlainRegistry {
      override isLive(known: Known): boolean {
        return known.isSpoilt === true || super.isLive(known)
      }
    },
  ),
  mutant(
    'does not replace an entry that it cannot decode',
    ['NR-3.2'],
    class extends PlainRegistry {
      override async renew(node: NodeInfo, ttlMs: number, options?: CallOptions): Promise<void> {
        if (this.nodes.get(node.nodeId)?.isSpoilt !== true) await super.renew(node, ttlMs, options)
      }
    },
  ),
  mutant(
    'goes on after close',
    ['NR-T.1'],
    class extends PlainRegistry {
      override async close(): Promise<void> {}
    },
  ),
  mutant(
    'ignores signals',
    ['NR-T.2'],
    class extends PlainRegistry {
      override enter(): void {
        super.enter()
      }
    },
  ),
  mutant(
    'cannot be closed twice',
    ['NR-T.3'],
    class extends PlainRegistry {
      #closed = false

      override async close(): Promise<void> {
        if (this.#closed) throw new Error('closed already')
        this.#closed = true
        await super.close()
      }
    },
  ),
]

// They wait for nodes to expire, so they run side by side.
describe.concurrent('mutants', () => {
  describeMutants('node registry', mutants)
})
everyRuleIsCaught(mutants)
