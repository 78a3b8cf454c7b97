import type { TaskDetails, TaskFilter, TaskStatus } from '@taskledger/core/ports'
import { isFinalStatus, taskStatuses } from '@taskledger/core/ports'

/**
 * A facet is one thing that a list can be narrowed by. In each partition every facet of a task has a row of its own, so that "all that
 * failed" is one slice of the partition. Facets that may cease to be true (the node of an earlier attempt) leave their row behind: it
 * is a hint, and the details say what is true.
 */
export type Facet = string

/** The facet of every task. Its row alone has the details. */
export const everyTask: Facet = ''

/** The facet of the tasks that run, among all that are unfinished: they are few, and may be few among very many that wait. */
export const runningTasks: Facet = 'running'

const typeFacet = (type: string): Facet => `type:${type}`
const labelFacet = (label: string): Facet => `label:${label}`
const nodeFacet = (node: string): Facet => `node:${node}`
const statusFacet = (status: TaskStatus): Facet => `status:${status}`

/** The rows that a task has in its partition. A status has one only where it is final: the others change, and have a table of their own. */
export const facetsOf = ({ type, labels, node, status }: TaskDetails): readonly Facet[] => [
  everyTask,
  typeFacet(type),
  ...new Set(labels.map(labelFacet)),
  ...(node === undefined ? [] : [nodeFacet(node)]),
  ...(isFinalStatus(status) ? [statusFacet(status)] : []),
]

/** Whether a node has the task in hand. */
export const isRunning = (status: TaskStatus): boolean => status === 'inProgress' || status === 'cancelRequested'

/** How a list is walked. */
export type ListPlan = FacetPlan | UnfinishedPlan

/** Through the rows of these facets, of which a task has one at most. */
export interface FacetPlan {
  readonly type: 'facets'
  readonly facets: readonly Facet[]
}

/** Through the table of what is unfinished, by one facet. */
export interface UnfinishedPlan {
  readonly type: 'unfinished'
  readonly facet: Facet
}

/** By the property that is likely to let the fewest through; the others are checked row by row. */
export const planOf = ({ statuses, type, node, label }: TaskFilter): ListPlan => {
  if (label !== undefined) return { type: 'facets', facets: [labelFacet(label)] }
  if (statuses?.every((status) => !isFinalStatus(status)))
    return { type: 'unfinished', facet: statuses.every(isRunning) ? runningTasks : everyTask }
  if (node !== undefined) return { type: 'facets', facets: [nodeFacet(node)] }
  if (statuses !== undefined && statuses.every(isFinalStatus) && !isEveryFinalStatus(statuses))
    return { type: 'facets', facets: [...new Set(statuses.map(statusFacet))] }
  return { type: 'facets', facets: [type === undefined ? everyTask : typeFacet(type)] }
}

const isEveryFinalStatus = (statuses: readonly TaskStatus[]): boolean =>
  taskStatuses.filter(isFinalStatus).every((status) => statuses.includes(status))

/** Whether the task belongs in the list. Times are not looked at: they are where the walk begins and ends. */
export const meets = (details: TaskDetails, { statuses, type, node, label }: TaskFilter): boolean =>
  (statuses === undefined || statuses.includes(details.status)) &&
  (type === undefined || details.type === type) &&
  (node === undefined || details.node === node) &&
  (label === undefined || details.labels.includes(label))
