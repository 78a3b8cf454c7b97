import type { TaskDetails } from '../../domain/task-details.ts'
import type { TaskPage } from '../../ports/task-listing.ts'
import type { ListQuery, TaskQuery } from './list-query.ts'
import { queryOf } from './list-query.ts'

/** How many tasks are read at a time. */
const pageSize = 200

/** All tasks that match the query, page by page: a page is read when the tasks of the page before are consumed. */
export async function* allTasks(
  query: TaskQuery,
  list: (page: ListQuery) => Promise<TaskPage>,
): AsyncGenerator<TaskDetails, undefined, undefined> {
  const checked = queryOf(query)
  let next: ListQuery | undefined = { ...checked, limit: pageSize }
  while (next !== undefined) {
    const { tasks, cursor } = await list(next)
    for (const task of tasks) {
      checked.signal?.throwIfAborted()
      yield task
    }
    next = cursor === undefined ? undefined : { ...next, cursor }
  }
  return undefined
}
