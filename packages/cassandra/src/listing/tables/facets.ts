import type { TaskDetails, TaskFilter, TaskStatus } from '@taskledger/core/ports'
import { isFinalStatus, taskStatuses } from '@taskledger/core/ports'

/**
 * A facet is one property that a list can be filtered by. Each facet of a task has its own row in the partition of the
 * task, so that "all failed tasks" are one slice of the partition. The row of a facet that no longer applies (the node
 * of an earlier attempt) stays: the row is a hint, and the details decide.
 */
export type Facet = string

/** The facet of every task. Only its row has the details. */
export const everyTask: Facet = ''

/** The facet of the unfinished tasks that run: they may be few among very many that wait. */
export const runningTasks: Facet = 'running'

const typeFacet = (type: string): Facet => `type:${type}`
const labelFacet = (label: string): Facet => `label:${label}`
const nodeFacet = (node: string): Facet => `node:${node}`
const statusFacet = (status: TaskStatus): Facet => `status:${status}`

/**
 * The facets that a task has a row for. Of the statuses only a final one has a row: the others change, and unfinished
 * tasks have their own table.
 */
export const facetsOf = ({ type, labels, node, status }: TaskDetails): readonly Facet[] => [
  everyTask,
  typeFacet(type),
  ...new Set(labels.map(labelFacet)),
  ...(node === undefined ? [] : [nodeFacet(node)]),
  ...(isFinalStatus(status) ? [statusFacet(status)] : []),
]

/** The facets of which a task may have a row whatever its details are: those of the others follow from the details. */
export const certainFacets: readonly Facet[] = [everyTask, ...taskStatuses.filter(isFinalStatus).map(statusFacet)]

/** Whether a node runs the task. */
export const isRunning = (status: TaskStatus): boolean => status === 'inProgress' || status === 'cancelRequested'

/** How a filtered list is read. */
export type ListPlan = FacetPlan | UnfinishedPlan

/** By the rows of these facets. A task has at most one of them. */
export interface FacetPlan {
  readonly type: 'facets'
  readonly facets: readonly Facet[]
}

/** By the table of unfinished tasks, and one facet in it. */
export interface UnfinishedPlan {
  readonly type: 'unfinished'
  readonly facet: Facet
}

/**
 * Chooses the property that is likely to match the fewest tasks. The other properties are checked in the details of
 * each task.
 */
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
