import type { TaskFilter } from '../../ports/task-listing.ts'
import type { CallOptions } from '../../ports/call-options.ts'
import type { TaskStatus } from '../../domain/task-status.ts'
import { taskStatuses } from '../../domain/task-status.ts'
import { misuse } from '../../ports/shared/errors.ts'
import { checkWhole } from '../../ports/shared/checks.ts'
import { timeOf } from '../node/checks.ts'

/** Which tasks to list. A task is listed if it matches every property that is given. */
export interface TaskQuery extends CallOptions {
  readonly status?: TaskStatus | readonly TaskStatus[] | undefined
  readonly type?: string | undefined
  /** The node that runs the latest attempt, or ran it. */
  readonly node?: string | undefined
  readonly label?: string | undefined
  /** Created at this time or later: a `Date`, or milliseconds since 1970. */
  readonly since?: Date | number | undefined
  /** Created before this time: a `Date`, or milliseconds since 1970. */
  readonly until?: Date | number | undefined
}

/** Which page of the tasks to list. */
export interface ListQuery extends TaskQuery {
  /** The maximum number of tasks, 1 to 1,000. Default 50. */
  readonly limit?: number | undefined
  /** The `cursor` of the page before. */
  readonly cursor?: string | undefined
}

/** The filter of the query, normalised for adapters. */
export const filterOf = ({ status, type, node, label, since, until }: ListQuery): TaskFilter => {
  const statuses = status === undefined ? undefined : [...new Set(typeof status === 'string' ? [status] : status)]
  for (const each of statuses ?? [])
    if (!taskStatuses.includes(each)) throw misuse(`status is ${each as string}: give one of ${taskStatuses.join(', ')}`)
  return {
    ...(statuses === undefined ? {} : { statuses }),
    ...(type === undefined ? {} : { type }),
    ...(node === undefined ? {} : { node }),
    ...(label === undefined ? {} : { label }),
    ...(since === undefined ? {} : { since: timeOf('since', since) }),
    ...(until === undefined ? {} : { until: timeOf('until', until) }),
  }
}

export const limitOf = ({ limit }: ListQuery): number => checkWhole('limit', limit ?? 50, 1, 1_000)
