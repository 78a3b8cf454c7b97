import type { TaskNotice } from '@taskledger/core'
import type { Cluster } from './cluster.ts'

/**
 * What happened, in words; nothing where the task is not known yet.
 *
 * @param diedOn the node that ran a task that died: its notice comes from the one that found it gone.
 */
export const newsOf = (cluster: Cluster, { taskId, type, status, node }: TaskNotice, diedOn?: string): string | undefined => {
  const name = cluster.mailboxOf(taskId)?.name
  if (name === undefined) return undefined
  const where = cluster.nameOf(node)
  switch (type) {
    case 'TaskCreated':
      return `${name}: submitted`
    case 'TaskStarted':
      return `${name}: started on ${where}`
    case 'TaskCancelRequested':
      return status === 'cancelled' ? `${name}: cancelled before it ran` : `${name}: told to end`
    case 'TaskCompleted':
      return `${name}: completed on ${where}`
    case 'TaskFailed':
      return status === 'waiting' ? `${name}: failed on ${where}, and is tried again` : `${name}: failed on ${where}`
    case 'TaskCancelled':
      return `${name}: cancelled on ${where}`
    case 'TaskDied':
      return `${name}: ${diedOn === undefined ? 'its worker' : cluster.nameOf(diedOn)} went while it ran; ${status === 'waiting' ? 'it is tried again' : 'it is not tried again'}`
    case 'TaskReleased':
      return `${name}: handed back by ${where}`
    case 'TaskProgress':
      return `${name}: goes on`
  }
}
