import { encodeEvent } from '@taskledger/core/codec'
import type { TaskEvent, TaskId } from '@taskledger/core/ports'

/** An append as the engine takes it. */
export interface Append {
  readonly taskId: TaskId
  readonly expectedVersion: number
  readonly rows: readonly EventRow[]
  /** How long its texts are. */
  readonly size: number
}

export interface EventRow {
  readonly version: number
  readonly eventId: string
  readonly text: string
}

export const appendOf = (taskId: TaskId, expectedVersion: number, events: readonly TaskEvent[]): Append => {
  const rows = events.map((event) => ({ version: event.version, eventId: event.eventId, text: encodeEvent(event) }))
  return { taskId, expectedVersion, rows, size: rows.reduce((sum, { text }) => sum + text.length, 0) }
}

/** What a task's history has at each version: the id of the event. */
export type EventIds = ReadonlyMap<number, string>

/** What a refused append comes to, now that the history is known. */
export type Judgement = 'stands there' | 'fits' | { readonly actualVersion: number }

/** Whether the append was made before, could be made now, or has lost to another. */
export const judge = ({ expectedVersion, rows }: Append, history: EventIds): Judgement => {
  if (rows.every(({ version, eventId }) => history.get(version) === eventId)) return 'stands there'
  const actualVersion = Math.max(0, ...history.keys())
  return actualVersion === expectedVersion ? 'fits' : { actualVersion }
}
