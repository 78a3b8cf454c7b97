import type { TaskDetails } from '../domain/task-details.ts'
import { isTaskId } from '../domain/task-id.ts'
import { TaskledgerError } from './errors.ts'
import type { TaskFilter } from './task-listing.ts'

/** Where a page ended: the keys by which a listing is ordered. */
export type ListingPosition = Pick<TaskDetails, 'createdAt' | 'taskId'>

/** The filter as one string, whatever the order of its properties. */
const filterKey = (filter: TaskFilter): string =>
  JSON.stringify([
    filter.statuses === undefined ? null : [...filter.statuses].sort(),
    filter.type ?? null,
    filter.node ?? null,
    filter.label ?? null,
    filter.since ?? null,
    filter.until ?? null,
  ])

/** Makes the cursor of a page that ended there. It belongs to the filter that the page was made with. */
export const encodeCursor = (position: ListingPosition, filter: TaskFilter): string =>
  btoa(encodeURIComponent(JSON.stringify(['1', position.createdAt, position.taskId, filterKey(filter)])))

/**
 * Where the page before ended.
 *
 * @throws `INVALID_CURSOR` where the cursor is malformed or was made for another filter.
 */
export const decodeCursor = (cursor: string, filter: TaskFilter): ListingPosition => {
  const parts = partsOf(cursor)
  if (parts === undefined) throw new TaskledgerError('INVALID_CURSOR', 'the cursor is not one that a listing gave: begin again without one')
  const [, createdAt, taskId, key] = parts
  if (key !== filterKey(filter))
    throw new TaskledgerError('INVALID_CURSOR', 'the cursor was made for another filter: use it with that one, or begin again without it')
  return { createdAt, taskId } as ListingPosition
}

const partsOf = (cursor: string): readonly unknown[] | undefined => {
  try {
    const parts: unknown = JSON.parse(decodeURIComponent(atob(cursor)))
    const fits = Array.isArray(parts) && parts.length === 4 && parts[0] === '1' && typeof parts[1] === 'number' && isTaskId(parts[2])
    return fits ? parts : undefined
  } catch {
    return undefined
  }
}

/** The order of a listing: the newest first, then by id. Negative where `a` comes first. */
export const compareListed = (a: ListingPosition, b: ListingPosition): number =>
  b.createdAt - a.createdAt || (a.taskId < b.taskId ? 1 : a.taskId > b.taskId ? -1 : 0)
