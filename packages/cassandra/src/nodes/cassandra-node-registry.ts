import { decodeNodeEntry, encodeNode } from '@taskledger/core/codec'
import type { CallOptions, NodeInfo, NodeRegistry, NodeRegistryCapabilities, UnreadableNode } from '@taskledger/core/ports'
import type { SessionShare } from '../connection/session-share.ts'
import type { Session } from '../connection/session.ts'

/** A row for each node, with a time to live. */
export class CassandraNodeRegistry implements NodeRegistry {
  // Cassandra counts a time to live in whole seconds, and `renew` adds one.
  readonly capabilities: NodeRegistryCapabilities = { ttlGranularityMs: 2_000 }
  readonly #session: Session
  readonly #share: SessionShare
  readonly #upsert: string
  readonly #delete: string
  readonly #select: string

  constructor(session: Session) {
    const table = session.table('task_node')
    this.#session = session
    this.#share = session.share('the node registry')
    this.#upsert = `INSERT INTO ${table} (prefix, node_id, node) VALUES (?, ?, ?) USING TTL ?`
    this.#delete = `DELETE FROM ${table} WHERE prefix = ? AND node_id = ?`
    this.#select = `SELECT node_id, node FROM ${table} WHERE prefix = ?`
  }

  async renew(node: NodeInfo, ttlMs: number, { signal }: CallOptions = {}): Promise<void> {
    this.#share.enter(signal)
    // Cassandra truncates the start of a time to live to a whole second. Without an additional second other nodes could
    // declare this node dead up to a second too early, and run its tasks while its own lease is valid.
    const ttl = Math.ceil(ttlMs / 1_000) + 1
    await this.#session.execute(this.#upsert, [this.#session.prefix, node.nodeId, encodeNode(node), ttl], { signal })
  }

  async leave(nodeId: string, { signal }: CallOptions = {}): Promise<void> {
    this.#share.enter(signal)
    await this.#session.execute(this.#delete, [this.#session.prefix, nodeId], { signal })
  }

  async live({ signal }: CallOptions = {}): Promise<readonly (NodeInfo | UnreadableNode)[]> {
    this.#share.enter(signal)
    const rows = await this.#session.execute(this.#select, [this.#session.prefix], { signal })
    return rows.map((row) => decodeNodeEntry(String(row['node']), String(row['node_id'])))
  }

  async close(): Promise<void> {
    await this.#share.close()
  }
}
