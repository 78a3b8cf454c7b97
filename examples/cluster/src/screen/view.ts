import type { Row } from '@taskledger/example-reindex/terminal'

/** A server of the cluster. */
export interface ServerView {
  /** `Cassandra 5.0.8` */
  readonly what: string
  /** `this machine` */
  readonly origin: string
  /** Its address, and the keyspace or prefix of this run. */
  readonly where: string
}

/** The state of a node. `gone`: stopped in order. `lost`: gone in any other way. */
export type NodeState = 'starting' | 'alive' | 'draining' | 'gone' | 'lost'

/** A process of the run. */
export interface NodeView {
  readonly name: string
  readonly pid: number
  /** The key that selects it; undefined for the front-end. */
  readonly key?: string
  /** By queue, how many tasks it runs at a time. */
  readonly queues: Readonly<Record<string, number>>
  readonly running: number
  readonly state: NodeState
  /** When this state began, in milliseconds since 1970. */
  readonly since: number
  /** The details of the state. */
  readonly note?: string
}

/** A piece of news about a task. */
export interface NewsView {
  /** In milliseconds since 1970. */
  readonly at: number
  readonly text: string
}

/** Everything that the screen shows, at one moment. */
export interface ClusterView {
  readonly servers: readonly ServerView[]
  readonly nodes: readonly NodeView[]
  /** The name of the selected node. */
  readonly selectedNode?: string
  readonly tasks: readonly Row[]
  readonly selectedTask: number
  readonly nodeOf: (row: Row) => string
  /** The latest last. */
  readonly news: readonly NewsView[]
  /** The result of the latest key, or an error. */
  readonly message?: string
  readonly isStopping: boolean
  readonly startedAt: number
  /** In milliseconds since 1970. */
  readonly now: number
  /** The size of the terminal. */
  readonly columns: number
  readonly lines: number
}
