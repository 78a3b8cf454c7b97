import { describeHistory, dueAtOf, endedAt, inTimeMs, runsOf, shortId } from './check.ts'
import type { BrokenPromise } from './promises.ts'
import type { Observed, Stored } from './stored.ts'

/** Checks what a cluster without faults promises. */
export function* checkUndisturbed({ world, cluster, clients }: Observed, { histories }: Stored): Iterable<BrokenPromise> {
  // A clock that is wrong is no excuse.
  const faults = [...world.struck, ...world.plan.faults]
  if (faults.some(({ type }) => type !== 'skew') || world.plan.misplaced !== undefined) return
  if ((world.plan.forgeries ?? []).length > 0) return
  // Until the next renewal, the others translate the times of a node whose clock was set by its old setting, and may call a message lost.
  const isSet = faults.some((fault) => fault.type === 'skew' && fault.atMs > 0)
  for (const [task, taskIds] of isSet ? [] : clients.acknowledged) {
    const [taskId] = taskIds
    // A task with a key may be submitted again. A delayed task is taken over if its node has just joined and is not known yet.
    if (taskId === undefined || task.key !== undefined || task.notBeforeMs !== undefined || task.failures > 0) continue
    const sent = world.sendsOf(taskId)
    if (sent > 1)
      yield { promise: 'once', detail: `${shortId(taskId)} was sent ${sent} times; ${describeHistory(histories.get(taskId) ?? [])}` }
  }
  const room = (atMs: number, untilMs: number): boolean =>
    runsOf(cluster).filter((run) => run.startedAt < untilMs && endedAt(run) > atMs).length < 2
  for (const [taskId, written] of world.written)
    for (const [index, { event, atMs }] of written.entries()) {
      const isWaiting = event.type === 'TaskCreated' || (event.type === 'TaskFailed' && event.retryAt !== undefined)
      if (!isWaiting || (event.type === 'TaskCreated' && event.queue === 'serial')) continue
      const next = written[index + 1]
      const dueAt = Math.max(atMs, world.whenShown(dueAtOf(event), event.node, atMs).latestMs) + inTimeMs
      if (next !== undefined && next.atMs > dueAt && room(atMs, next.atMs))
        yield { promise: 'prompt', detail: `${shortId(taskId)} waited from ${atMs} to ${next.atMs} ms` }
    }
}
