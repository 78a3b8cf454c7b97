import { isDeepStrictEqual } from 'node:util'
import type { TaskId } from '@taskledger/core/ports'
import { detailsOf, isFinalEvent, isFinalStatus } from '@taskledger/core/ports'
import type { World } from '../world/world.ts'
import { describeHistory, endedAt, inTimeMs, runsOf, shortId } from './check.ts'
import type { BrokenPromise } from './promises.ts'
import type { Observed, Stored } from './stored.ts'

/** How much later a body is told of a cancel request whose notice was lost, in milliseconds: at the next renewal. */
const renewalMs = 6_000

export function* checkAnswers({ clients, world }: Observed, { histories, purged }: Stored): Iterable<BrokenPromise> {
  for (const lie of clients.lies) yield { promise: 'truth', detail: lie }
  for (const { taskId, node, answer, atMs, answeredAt = 0 } of clients.awaits) {
    if (answer === undefined) {
      if (!node.isGone) yield { promise: 'await', detail: `${shortId(taskId)} is still awaited on ${node.name} since ${atMs} ms` }
      continue
    }
    const history = histories.get(taskId) ?? purged.get(taskId) ?? []
    const isTrue = answer === 'removed' ? wasRemoved(world, taskId, answeredAt) : isDeepStrictEqual(answer, detailsOf(history))
    if (!isTrue)
      yield {
        promise: 'await',
        detail: `${shortId(taskId)}: told ${answer === 'removed' ? answer : answer.status} at ${answeredAt} ms; ${describeHistory(history)}`,
      }
    const end = endOf(world, taskId)
    const dueAt = Math.max(end, atMs, world.wakefulAtMs) + inTimeMs
    if (answeredAt > dueAt)
      yield {
        promise: 'awaitInTime',
        detail: `${shortId(taskId)} ended at ${end} ms, the await on ${node.name} was answered at ${answeredAt} ms`,
      }
  }
  for (const { taskId, node, answer, answeredAt = 0 } of clients.cancels) {
    if (answer === undefined) {
      if (!node.isGone) yield { promise: 'cancel', detail: `the cancel of ${shortId(taskId)} on ${node.name} was not answered` }
      continue
    }
    const history = histories.get(taskId) ?? purged.get(taskId) ?? []
    const { status = 'none' } = detailsOf(history) ?? {}
    const isKept =
      answer === 'removed'
        ? wasRemoved(world, taskId, answeredAt)
        : answer.outcome === 'cancelled'
          ? status === 'cancelled'
          : answer.outcome === 'finished'
            ? isFinalStatus(answer.details.status) && status === answer.details.status
            : ['cancelled', 'completed', 'failed'].includes(status)
    if (!isKept)
      yield {
        promise: 'cancel',
        detail: `${shortId(taskId)}: told ${answer === 'removed' ? answer : answer.outcome} at ${answeredAt} ms; ${describeHistory(history)}`,
      }
  }
}

/**
 * Whether a task had ended and was removed before a client was told so. A node that was suspended, or cut off from the store, may read the
 * history for the first time after that. A node that was neither has to answer an await within seconds of the end: long before a removal.
 */
const wasRemoved = (world: World, taskId: TaskId, answeredAt: number): boolean => {
  const { removed, written } = world
  return (removed.get(taskId) ?? Infinity) <= answeredAt && (written.get(taskId) ?? []).some(({ event }) => isFinalEvent(event))
}

const endOf = (world: World, taskId: TaskId): number => world.written.get(taskId)?.find(({ event }) => isFinalEvent(event))?.atMs ?? 0

export function* checkCancelTold({ world, cluster }: Observed): Iterable<BrokenPromise> {
  for (const [taskId, written] of world.written) {
    const request = written.find(({ event }) => event.type === 'TaskCancelRequested')
    if (request === undefined) continue
    for (const run of runsOf(cluster)) {
      // If the notice may be lost, the body is told at the next renewal.
      const dueAt =
        Math.max(request.atMs, run.startedAt, world.calmAtOf(run.node.name)) +
        inTimeMs +
        (world.struck.size > 0 || world.plan.misplaced !== undefined ? renewalMs : 0)
      const stoppedAt = Math.min(run.abortedAt ?? Infinity, endedAt(run))
      if (run.taskId === taskId && stoppedAt > dueAt && run.how !== 'died' && !run.node.isGone)
        yield {
          promise: 'cancelInTime',
          detail: `${shortId(taskId)}: requested at ${request.atMs} ms, attempt ${run.attempt} on ${run.node.name} was told at ${stoppedAt} ms`,
        }
    }
  }
}
