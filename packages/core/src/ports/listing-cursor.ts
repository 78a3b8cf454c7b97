import type { TaskDetails } from '../domain/task-details.ts'
import { isTaskId } from '../domain/task-id.ts'
import { TaskledgerError } from './shared/errors.ts'
import type { TaskFilter } from './task-listing.ts'

/** The place where a page ended: the keys by which a listing is ordered. */
export type ListingPosition = Pick<TaskDetails, 'createdAt' | 'taskId'>

/** The filter as one string, whatever the order of its properties. Every property counts, also a property that a later release adds. */
const filterKey = (filter: TaskFilter): string => {
  const given: readonly (readonly [string, unknown])[] = Object.entries(filter).filter(([, value]) => value !== undefined)
  return JSON.stringify(given.map(([name, value]) => [name, inOrder(value)] as const).toSorted(byName))
}

const inOrder = (value: unknown): unknown => (Array.isArray(value) ? (value as readonly string[]).toSorted() : value)

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

/** Makes the cursor of a page that ended at this position. It belongs to the filter of the page. */
export const encodeCursor = (position: ListingPosition, filter: TaskFilter): string =>
  btoa(encodeURIComponent(JSON.stringify(['1', position.createdAt, position.taskId, filterKey(filter)])))

/**
 * The position where the page before ended.
 *
 * @throws `INVALID_CURSOR` if the cursor is malformed or was made for another filter.
 */
export const decodeCursor = (cursor: string, filter: TaskFilter): ListingPosition => {
  const parts = partsOf(cursor)
  if (parts === undefined)
    throw new TaskledgerError('INVALID_CURSOR', 'the cursor is malformed: use a cursor that a page gave, or begin without a cursor')
  const [, createdAt, taskId, key] = parts
  if (key !== filterKey(filter))
    throw new TaskledgerError(
      'INVALID_CURSOR',
      'the cursor was made for another filter: use it with that filter, or begin without a cursor',
    )
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
