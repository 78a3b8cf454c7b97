import type { CassandraEndpoint, EngineProcess, RabbitmqProcess } from '@taskledger/servers'
import type { Child } from '../nodes/child.ts'
import type { BurstCommands, NodeCommands, Report } from '../nodes/commands.ts'
import type { Target } from '../nodes/open-manager.ts'
import type { Endpoints } from './endpoints.ts'

export interface NodeOptions {
  /** Keeps the tasks of one program apart from those of the others. */
  readonly prefix: string
  /** By name, how many tasks each node runs at a time; 0: a front-end. */
  readonly nodes: Readonly<Record<string, number>>
  /** Whether the statements and messages of the node are counted. */
  readonly isCounting?: boolean
  /** Whether lease and janitor do nothing during the measurement. */
  readonly isUnguarded?: boolean
  /** Whether the program injects faults. The warnings of the nodes are then expected, and are not shown on the console. */
  readonly isFaulty?: boolean
}

export type Node = Child<NodeCommands, Report>

/** Processes that can submit a burst; the last of them submits. */
export type Cluster = readonly Omit<Child<BurstCommands>, 'hear'>[]

/** Servers that were started for a run, which a program may kill. */
export interface OwnServers {
  readonly cassandra: EngineProcess<CassandraEndpoint>
  readonly rabbitmq: RabbitmqProcess
}

/** Servers, whether they were found or started. */
export interface Servers {
  readonly endpoints: Endpoints
  /** Only servers that were started for this run can be killed, and their processor time is counted. */
  readonly own: OwnServers | undefined
}

/** What a run measures on: the memory adapters, or servers. */
export interface Platform {
  readonly name: 'memory' | 'servers'
  /** Names and versions, for the head of the report. */
  readonly about: string
  readonly facts: Readonly<Record<string, string>>
  /** The engines of a node that a program opens itself. */
  readonly target: Target
  readonly servers?: Servers
  /** Starts nodes, and resolves once all of them are ready. */
  startNodes(options: NodeOptions): Promise<readonly Node[]>
  /** Starts the same work without the framework. The last process of the cluster submits. */
  startFloor(options: { readonly slots: number; readonly isCounting?: boolean }): Promise<Cluster>
  /** The file that a node of this process logs to, if not the console. */
  logOf(name: string, isFaulty: boolean): string | undefined
  close(): Promise<void>
}
