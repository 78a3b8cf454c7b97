import type { TaskDetails, TaskFilter, TaskListing, UnfinishedOptions } from '@taskledger/core/ports'
import { isUnreadableRow } from '@taskledger/core/ports'
import { holds } from '../expectations.ts'

/** Walks a list to its end, page by page. */
export const pagesOf = async (
  listing: TaskListing,
  filter: TaskFilter = {},
  { limit = 100, maxPages = 1_000 }: { limit?: number; maxPages?: number } = {},
): Promise<readonly (readonly TaskDetails[])[]> => {
  const pages: (readonly TaskDetails[])[] = []
  let cursor: string | undefined
  do {
    const page = await listing.list(filter, { limit, ...(cursor === undefined ? {} : { cursor }) })
    holds(page.tasks.length <= limit, `a page holds ${page.tasks.length} tasks, and its limit was ${limit}`)
    pages.push(page.tasks)
    cursor = page.cursor
    holds(pages.length <= maxPages, `the list has not ended after ${maxPages} pages`)
  } while (cursor !== undefined)
  return pages
}

/** All tasks that the filter returns, in the order of the list. */
export const listedBy = async (listing: TaskListing, filter: TaskFilter = {}): Promise<readonly TaskDetails[]> =>
  (await pagesOf(listing, filter)).flat()

/** The unfinished tasks of a shard, by id. */
export const unfinishedOf = async (
  listing: TaskListing,
  shard = 0,
  of = 1,
  options: UnfinishedOptions = {},
): Promise<readonly TaskDetails[]> => {
  const tasks: TaskDetails[] = []
  for await (const row of listing.unfinished({ shard, of }, options)) {
    holds(!isUnreadableRow(row), `the row of task ${row.taskId} cannot be read`)
    tasks.push(row)
  }
  return byId(tasks)
}

export const byId = (tasks: readonly TaskDetails[]): readonly TaskDetails[] =>
  [...tasks].sort((a, b) => (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0))

/** The ids alone, for rules that do not compare whole rows. */
export const idsOf = (tasks: readonly TaskDetails[]): readonly string[] => tasks.map(({ taskId }) => taskId)
