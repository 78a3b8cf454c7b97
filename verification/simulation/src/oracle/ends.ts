import { isDeepStrictEqual } from 'node:util'
import { detailsOf, isFinalEvent } from '@taskledger/core/ports'
import { checkHistory } from '@taskledger/core/testing'
import { describeHistory, shortId } from './check.ts'
import type { BrokenPromise } from './promises.ts'
import type { Observed, Stored } from './stored.ts'

/** Checks what the engines hold at the end. */
export function* checkEnds(
  { clients, world }: Observed,
  { histories, purged, rows, unfinished, unreadable }: Stored,
): Iterable<BrokenPromise> {
  for (const [{ index, kind }, taskIds] of clients.acknowledged) {
    for (const taskId of new Set(taskIds)) {
      const history = histories.get(taskId) ?? purged.get(taskId) ?? []
      const last = history.at(-1)
      if (last === undefined || !isFinalEvent(last))
        yield { promise: 'final', detail: `${kind} ${index} (${shortId(taskId)}): ${describeHistory(history) || 'no history'}` }
    }
    const [id] = taskIds
    const lives = id === undefined ? 0 : (world.written.get(id) ?? []).filter(({ event: { type } }) => type === 'TaskCreated').length
    const created = id === undefined ? 0 : (clients.created.get(id) ?? 0)
    if (created > lives)
      yield { promise: 'key', detail: `${created} submits of ${kind} ${index} were told that they created one of ${lives} tasks` }
    if (new Set(taskIds).size > 1) yield { promise: 'key', detail: `${kind} ${index} was acknowledged as ${taskIds.join(' and ')}` }
  }
  for (const [taskId, history] of histories) {
    for (const violation of checkHistory(history))
      yield { promise: 'history', detail: `${shortId(taskId)}: ${violation}; ${describeHistory(history)}` }
    const row = rows.get(taskId)
    const last = history.at(-1)
    // A submit that was never acknowledged may leave a history that is not listed.
    if (row === undefined && ![...clients.acknowledged.values()].flat().includes(taskId)) continue
    if (last !== undefined && !isFinalEvent(last))
      yield { promise: 'final', detail: `${shortId(taskId)} is listed: ${describeHistory(history)}` }
    const details = detailsOf(history)
    if (!isDeepStrictEqual(row, details))
      yield { promise: 'listing', detail: `${shortId(taskId)}: listed ${JSON.stringify(row)}, is ${JSON.stringify(details)}` }
  }
  for (const [taskId, why] of unreadable) yield { promise: 'readable', detail: `${shortId(taskId)}: ${why}` }
  for (const [taskId, history] of purged)
    if (!history.some(isFinalEvent)) yield { promise: 'final', detail: `${shortId(taskId)} was purged: ${describeHistory(history)}` }
  for (const row of unfinished) yield { promise: 'unfinished', detail: `${shortId(row.taskId)} is ${row.status} at version ${row.version}` }
  for (const [queue, { waiting, delayed, running, deadLetters }] of Object.entries(world.engine.inspect().queues))
    if (waiting + delayed + running + deadLetters > 0)
      yield {
        promise: 'queue',
        detail: `${queue} has ${waiting} waiting, ${delayed} delayed, ${running} running, ${deadLetters} dead letters`,
      }
}
