import type { TaskEvent, TaskId } from '@taskledger/core/ports'
import type { BodyRun } from '../cluster/bodies.ts'
import type { SimulatedCluster } from '../cluster/cluster.ts'
import type { BrokenPromise } from './promises.ts'
import type { Observed, Stored } from './stored.ts'

/** How long a cluster may take, once faults are over, to answer an await, to tell a body of a cancel, or to begin a task, in milliseconds. */
export const inTimeMs = 3_000

/** Finds the broken promises of some kind. */
export type Check = (observed: Observed, stored: Stored) => Iterable<BrokenPromise>

/** The random part of a task id. */
export const shortId = (taskId: TaskId): string => taskId.slice(-8)

/** A history in short. */
export const describeHistory = (history: readonly TaskEvent[]): string =>
  history.map((event) => `${event.type}${'attempt' in event ? ` ${event.attempt}` : ''} (${event.node.slice(0, 1)})`).join(', ')

export const runsOf = (cluster: SimulatedCluster): readonly BodyRun[] => cluster.nodes.flatMap(({ runs }) => runs)

export const endedAt = ({ endedAt: at = Infinity }: BodyRun): number => at

/** The time before which a task that waits since this event may not begin. */
export const dueAtOf = (event: TaskEvent | undefined): number =>
  event === undefined ? 0 : event.type === 'TaskCreated' ? (event.notBefore ?? 0) : 'retryAt' in event ? (event.retryAt ?? 0) : 0
