import type { TaskEvent } from '@taskledger/core'

/** The end of a task, by its history. */
interface End {
  readonly status: string
  readonly event: TaskEvent
}

export const isFinal = (event: TaskEvent): boolean =>
  event.type === 'TaskCompleted' ||
  event.type === 'TaskCancelled' ||
  ((event.type === 'TaskFailed' || event.type === 'TaskDied') && event.retryAt === undefined)

const statusOf: Readonly<Partial<Record<TaskEvent['type'], string>>> = {
  TaskCompleted: 'completed',
  TaskCancelled: 'cancelled',
  TaskFailed: 'failed',
  TaskDied: 'died',
}

/** The end of a history, if it has one. If the node of a task dies after a cancel request, TaskCancelled follows TaskDied. */
export const endOf = (history: readonly TaskEvent[] = []): End | undefined => {
  const event = history.at(-1)
  return event !== undefined && isFinal(event) ? { status: statusOf[event.type] ?? '', event } : undefined
}

export const resultOf = (end: End | undefined): unknown => (end?.event.type === 'TaskCompleted' ? end.event.result : undefined)

/** The events of a history in a line. */
export const describeHistory = (history: readonly TaskEvent[] = []): string =>
  history.map((event) => `${event.type}${'attempt' in event ? ` ${event.attempt}` : ''} by ${event.node}`).join(', ') || 'no history'
