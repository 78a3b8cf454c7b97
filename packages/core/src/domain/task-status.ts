/** Every status, in the order of a task's life. */
export const taskStatuses = ['waiting', 'inProgress', 'cancelRequested', 'completed', 'failed', 'cancelled', 'died'] as const

/** The status of a task. The last four are final. */
export type TaskStatus = (typeof taskStatuses)[number]

/** A status that never changes again. */
export type FinalStatus = 'completed' | 'failed' | 'cancelled' | 'died'

/** Whether the status never changes again. */
export const isFinalStatus = (status: TaskStatus | 'none'): status is FinalStatus =>
  status === 'completed' || status === 'failed' || status === 'cancelled' || status === 'died'

/** Whether an attempt of the task runs. */
export const isUnderWay = (status: TaskStatus | 'none'): boolean => status === 'inProgress' || status === 'cancelRequested'
