import type { TaskCreated } from '../../domain/task-event.ts'
import type { WorkMessage } from '../../ports/work-queue.ts'
import type { Aggregate } from '../commands/aggregate.ts'
import { fold, noTask } from '../commands/aggregate.ts'
import { firstEventIdOf } from '../commands/first-event-id.ts'

/**
 * The task as its message tells it, so that the worker can begin the claim without a read; `undefined` if the worker has to read the store.
 * Whoever may send messages to the queue can tell anything. The id of the told event is a digest of the event, and the store refuses a
 * claim behind another event than its own: so a claim that is written proves what the message told.
 *
 * With an idempotency key the message is not enough: its task may have been removed, and submitted again with another payload.
 */
export const toldBy = ({ taskId, version, created }: WorkMessage, queue: string): Aggregate | undefined => {
  if (created === undefined || version !== 1 || created.version !== 1 || created.idempotencyKey !== undefined) return undefined
  const isOfTask = created.taskId === taskId && created.queue === queue
  return isOfTask && created.eventId === idOf(created) ? fold(noTask, [created]) : undefined
}

/** The id that the event has to have; `undefined` if it is nested too deeply to be written as text. Nothing stored is. */
const idOf = (created: TaskCreated): string | undefined => {
  try {
    return firstEventIdOf(created)
  } catch {
    return undefined
  }
}

/** The names of the fields in which the message differs from the store. */
export const liesOf = ({ created }: WorkMessage, stored: TaskCreated): readonly string[] => {
  if (created === undefined) return []
  const names = new Set([...Object.keys(created), ...Object.keys(stored)]) as Set<keyof TaskCreated>
  return [...names].filter((name) => textOf(created[name]) !== textOf(stored[name]))
}

const textOf = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return 'nested too deeply'
  }
}
