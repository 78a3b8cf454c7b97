import { encodeEvent } from '@taskledger/core/codec'
import type { TaskEvent, TaskId } from '@taskledger/core/ports'

/** An append, with its events encoded. */
export interface Append {
  readonly taskId: TaskId
  readonly expectedVersion: number
  /** The id of the event at `expectedVersion`; undefined if any event may be there. */
  readonly follows: string | undefined
  readonly rows: readonly EventRow[]
  /** The length of the texts of its events. */
  readonly size: number
}

export interface EventRow {
  readonly version: number
  readonly eventId: string
  readonly text: string
}

export const appendOf = (taskId: TaskId, expectedVersion: number, events: readonly TaskEvent[], follows?: string): Append => {
  const rows = events.map((event) => ({ version: event.version, eventId: event.eventId, text: encodeEvent(event) }))
  return { taskId, expectedVersion, follows, rows, size: rows.reduce((sum, { text }) => sum + text.length, 0) }
}

/** The ids of a task's events, by version. */
export type EventIds = ReadonlyMap<number, string>

/** What the history says of an append that was not applied. */
export type Judgement = 'was made' | 'fits' | { readonly actualVersion: number }

/** Whether the append was made before, could be made now, or lost to another writer. */
export const judge = ({ expectedVersion, follows, rows }: Append, history: EventIds): Judgement => {
  if (rows.every(({ version, eventId }) => history.get(version) === eventId)) return 'was made'
  const actualVersion = Math.max(0, ...history.keys())
  const isSame = follows === undefined || history.get(expectedVersion) === follows
  return actualVersion === expectedVersion && isSame ? 'fits' : { actualVersion }
}
