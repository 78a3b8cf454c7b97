import type { TaskFilter } from '../../ports/task-listing.ts'
import type { CallOptions } from '../../ports/call-options.ts'
import type { TaskStatus } from '../../domain/task-status.ts'
import { taskStatuses } from '../../domain/task-status.ts'
import type { CheckedOptions, ChecksOf, OptionHints } from '../../ports/shared/check-options.ts'
import { checkOptions } from '../../ports/shared/check-options.ts'
import { misuse } from '../../ports/shared/errors.ts'
import { checkSignal, checkText, checkWhole, hasMethods, wrongOption } from '../../ports/shared/checks.ts'
import { timeOf } from '../../ports/shared/time.ts'

/** Which tasks to list. A task is listed if it matches every property that is given. */
export interface TaskQuery extends CallOptions {
  readonly status?: TaskStatus | readonly TaskStatus[] | undefined
  readonly type?: string | undefined
  /** The node that runs the latest attempt, or ran it. */
  readonly node?: string | undefined
  readonly label?: string | undefined
  /** Created at this time or later: a `Date`, milliseconds since 1970, or ISO text with its zone. */
  readonly since?: Date | number | string | undefined
  /** Created before this time: a `Date`, milliseconds since 1970, or ISO text with its zone. */
  readonly until?: Date | number | string | undefined
}

/** Which page of the tasks to list. */
export interface ListQuery extends TaskQuery {
  /** The maximum number of tasks, 1 to 1,000. Default 50. */
  readonly limit?: number | undefined
  /** The `cursor` of the page before. */
  readonly cursor?: string | undefined
}

/** The maximum of a text to filter by: no label, type or node is longer. */
const maxText = 500

const checkFilterText = (name: string, value: unknown): string => checkText(name, value, maxText)

const checkStatuses = (name: string, value: unknown): readonly TaskStatus[] => {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value]
  const statuses = new Set<TaskStatus>()
  for (const each of given) {
    const status = taskStatuses.find((known) => known === each)
    if (status === undefined) throw wrongOption(name, each, `one of ${taskStatuses.join(', ')}, or a list of them`)
    statuses.add(status)
  }
  return [...statuses]
}

const queryChecks = {
  status: checkStatuses,
  type: checkFilterText,
  node: checkFilterText,
  label: checkFilterText,
  since: timeOf,
  until: timeOf,
  signal: checkSignal,
} satisfies ChecksOf<TaskQuery>

const pageChecks = {
  ...queryChecks,
  limit: (name: string, value: unknown) => checkWhole(name, value, 1, 1_000),
  cursor: (name: string, value: unknown) => {
    if (typeof value !== 'string') throw wrongOption(name, value, 'the cursor of the page before')
    return value
  },
} satisfies ChecksOf<ListQuery>

const hints: OptionHints = {
  labels: 'did you mean label? A list has one label',
  queue: 'tasks cannot be listed by their queue: list them by type',
  offset: 'pages are read in order: give the cursor of the page before',
  page: 'pages are read in order: give the cursor of the page before',
}

/** The query of one page, checked. */
export const pageQueryOf = (query: ListQuery): CheckedOptions<typeof pageChecks> => {
  refuseTask('list', query)
  return checkOptions('list', query, pageChecks, hints)
}

/** The query of all pages, checked. */
export const queryOf = (query: TaskQuery): CheckedOptions<typeof queryChecks> => {
  refuseTask('tasks', query)
  const allPages = 'it reads every page: use list for one page'
  return checkOptions('tasks', query, queryChecks, { ...hints, limit: allPages, cursor: allPages })
}

/** A task has a type, as a query has. */
const refuseTask = (owner: string, query: unknown): void => {
  if (hasMethods(query, ['encode'])) throw misuse(`${owner} was given a task: give a query, { type: task.type }`)
}

/** The filter of a checked query, for adapters. */
export const filterOf = ({ status, type, node, label, since, until }: CheckedOptions<typeof queryChecks>): TaskFilter => ({
  ...(status === undefined ? {} : { statuses: status }),
  ...(type === undefined ? {} : { type }),
  ...(node === undefined ? {} : { node }),
  ...(label === undefined ? {} : { label }),
  ...(since === undefined ? {} : { since }),
  ...(until === undefined ? {} : { until }),
})
