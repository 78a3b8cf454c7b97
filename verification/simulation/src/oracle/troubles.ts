import type { TaskEvent } from '@taskledger/core/ports'
import { detailsOf } from '@taskledger/core/ports'
import { describeHistory, shortId } from './check.ts'
import type { BrokenPromise } from './promises.ts'
import type { Observed, Stored } from './stored.ts'

/** Checks what becomes of tasks whose bodies kill their process or block its event loop, and of their neighbours. */
export function* checkTroubles({ world, clients }: Observed, { histories }: Stored): Iterable<BrokenPromise> {
  const { tasks, faults, starts } = world.plan
  for (const [{ kind, index }, taskIds] of clients.acknowledged)
    for (const taskId of taskIds) {
      const history = histories.get(taskId) ?? []
      if (kind === 'import' && detailsOf(history)?.status !== 'completed')
        yield { promise: 'further', detail: `${kind} ${index} (${shortId(taskId)}); ${describeHistory(history)}` }
    }
  // Other faults kill processes, too.
  if (faults.length > 0) return
  const hasPoison = tasks.some(({ kind }) => kind === 'poison')
  const isSingle = Object.keys(starts).length === 1
  for (const [{ kind, index }, taskIds] of clients.acknowledged)
    for (const taskId of taskIds) {
      const history = histories.get(taskId) ?? []
      const { status = 'none', crashes = 0 } = detailsOf(history) ?? {}
      const told = `${kind} ${index} (${shortId(taskId)}) is ${status}; ${describeHistory(history)}`
      if (kind === 'poison' ? status !== 'died' : hasPoison && !(status === 'completed' && crashes <= 2))
        yield { promise: 'poison', detail: told }
      if (kind === 'blocking' && !['completed', 'died'].includes(status)) yield { promise: 'blocked', detail: told }
      if (isSingle && !hasPoison && history.some(isLost)) yield { promise: 'blocked', detail: told }
    }
}

const isLost = (event: TaskEvent): boolean => event.type === 'TaskReleased' || event.type === 'TaskDied'
