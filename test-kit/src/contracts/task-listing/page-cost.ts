import type { PageRequest, TaskFilter, TaskListing } from '@taskledger/core/ports'
import type { Rule } from '../../framework/rule.ts'
import { holds } from '../expectations.ts'
import { detailsWith, leapDay, saveAll } from './sample-details.ts'

const limit = 10
/** Room for index rows, for one row more than the limit, and for rows that the filter refuses. It does not depend on the number of tasks. */
const maxExtraRows = 500
const maxRows = limit + maxExtraRows
/** In the larger list, a read of all rows before the middle is far above the limit. */
const sizes = [1_000, 10_000] as const
const filters: readonly TaskFilter[] = [{}, { statuses: ['completed', 'failed'] }, { type: 'reindex', label: 'red' }]

interface Page {
  readonly filter: TaskFilter
  readonly request: PageRequest
}

/** The first page of each filter, and one from the middle of the list. */
const pagesAmong = async (listing: TaskListing, size: number): Promise<readonly Page[]> => {
  let cursor: string | undefined
  for (let passed = 0; passed < size / 2; passed += 500) {
    cursor = (await listing.list({}, { limit: 500, ...(cursor === undefined ? {} : { cursor }) })).cursor
  }
  holds(cursor !== undefined, `the list has no next page in the middle, among ${size} tasks`)
  return [...filters.map((filter) => ({ filter, request: { limit } })), { filter: {}, request: { limit, cursor } }]
}

export const pageCostRule: Rule<TaskListing> = {
  id: 'TL-2.5',
  kind: 'plain',
  title: 'the cost of a page does not grow with the history: a page of 10 tasks reads at most 510 rows, among 1,000 tasks and among 10,000',
  hint: 'let the engine seek to where the page begins; sorting, counting, skipping or filtering reads every row',
  notShown: ({ rowsRead }) =>
    rowsRead === undefined
      ? 'the harness has no hook "rowsRead", so nothing shows what a page costs: count the rows of each answer of the engine'
      : undefined,
  run: async ({ port, random, observe, rowsRead = () => 0 }) => {
    let saved = 0
    const growTo = async (size: number): Promise<void> => {
      const tasks = Array.from({ length: size - saved }, () => {
        const status = saved % 2 === 0 ? 'completed' : 'waiting'
        return detailsWith(random, { createdAt: leapDay + saved++ * 10_000, status, labels: saved % 3 === 0 ? [] : ['red'] })
      })
      await saveAll(port, tasks)
    }
    const costs: object[] = []
    observe(costs)
    for (const size of sizes) {
      await growTo(size)
      for (const { filter, request } of await pagesAmong(port, size)) {
        const before = rowsRead()
        const { tasks } = await port.list(filter, request)
        const rows = rowsRead() - before
        const page = `${request.cursor === undefined ? 'the first page' : 'a page from the middle'} by ${JSON.stringify(filter)}`
        costs.push({ page, size, rows })
        holds(rows >= tasks.length, `the hook "rowsRead" counted ${rows} rows for ${tasks.length} tasks (${page}): count every row`)
        holds(rows <= maxRows, `${page} among ${size} tasks read ${rows} rows`)
      }
    }
  },
}
