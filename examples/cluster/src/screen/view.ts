import type { Row } from '@taskledger/example-reindex/terminal'

/** A server that the cluster stands on. */
export interface ServerView {
  /** `Cassandra 5.0.8` */
  readonly what: string
  /** Where it came from: `on this machine`. */
  readonly origin: string
  /** Its address, and what of it this run has for itself. */
  readonly where: string
}

/** How a node is. `lost`: gone, and not in order. */
export type NodeState = 'starting' | 'alive' | 'draining' | 'gone' | 'lost'

/** A process that takes part, or did. */
export interface NodeView {
  readonly name: string
  readonly pid: number
  /** The key that selects it; nothing for the front-end. */
  readonly key?: string
  /** The queues that it takes from, and how many tasks it runs at a time from each. */
  readonly queues: Readonly<Record<string, number>>
  readonly running: number
  readonly state: NodeState
  /** When it came into this state, in milliseconds since 1970. */
  readonly since: number
  /** What the state alone does not say. */
  readonly note?: string
}

/** A task that there was news of. */
export interface NewsView {
  /** In milliseconds since 1970. */
  readonly at: number
  readonly text: string
}

/** Everything that the screen shows, at one moment. */
export interface ClusterView {
  readonly servers: readonly ServerView[]
  readonly nodes: readonly NodeView[]
  /** The name of the node that a key was pressed for. */
  readonly selectedNode?: string
  readonly tasks: readonly Row[]
  readonly selectedTask: number
  readonly nodeOf: (row: Row) => string
  /** The latest last. */
  readonly news: readonly NewsView[]
  /** What came of the last key, or what went wrong. */
  readonly message?: string
  readonly isStopping: boolean
  readonly startedAt: number
  /** In milliseconds since 1970. */
  readonly now: number
  /** The size of the terminal. */
  readonly columns: number
  readonly lines: number
}
