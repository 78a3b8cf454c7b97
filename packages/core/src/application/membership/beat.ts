import type { TaskId } from '../../domain/task-id.ts'
import type { TaskNotice } from '../../ports/event-bus.ts'

/** The task id in a beat, and in the probe of the event store: no task has it. */
export const noTaskId = '00000000-0000-8000-8000-000000000000' as TaskId

/** What a node tells all nodes on its bus after each renewal of its lease. It travels as a notice about no task. */
export interface Beat {
  readonly node: string
  /** Counts the beats of the node, from 1. */
  readonly number: number
  /** Whether the node registry has just taken a renewal of the node. */
  readonly isRenewed: boolean
}

/** Whether a notice is a beat, and not about a task. */
export const isBeat = ({ taskId }: TaskNotice): boolean => taskId === noTaskId

/** The status of no task tells whether the node was renewed. A release that cannot tell says `waiting`. */
export const noticeOf = ({ node, number, isRenewed }: Beat): TaskNotice => ({
  taskId: noTaskId,
  version: number,
  type: 'TaskProgress',
  status: isRenewed ? 'inProgress' : 'waiting',
  node,
})

export const beatOf = ({ node, version, status }: TaskNotice): Beat => ({ node, number: version, isRenewed: status === 'inProgress' })
