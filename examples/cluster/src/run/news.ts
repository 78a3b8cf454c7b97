import type { TaskNotice } from '@taskledger/core'
import type { Cluster } from '../cluster/cluster.ts'

/**
 * A notice in words; undefined if its task is not known yet.
 *
 * @param diedOn the node that ran a task that died. The notice itself comes from the node that found it dead.
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
      return status === 'cancelled' ? `${name}: cancelled before it ran` : `${name}: cancelling`
    case 'TaskCompleted':
      return `${name}: completed on ${where}`
    case 'TaskFailed':
      return status === 'waiting' ? `${name}: failed on ${where}, and runs again` : `${name}: failed on ${where}`
    case 'TaskCancelled':
      return `${name}: cancelled on ${where}`
    case 'TaskDied':
      return `${name}: ${diedOn === undefined ? 'its worker' : cluster.nameOf(diedOn)} died while it ran; ${status === 'waiting' ? 'it runs again' : 'it does not run again'}`
    case 'TaskReleased':
      return `${name}: released by ${where}`
    case 'TaskProgress':
      return `${name}: progress`
  }
}
