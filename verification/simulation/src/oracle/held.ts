import { heartbeatMs } from '../cluster/cluster.ts'
import { dueAtOf, endedAt, inTimeMs, runsOf, shortId } from './check.ts'
import type { BrokenPromise } from './promises.ts'
import type { Observed } from './stored.ts'

/**
 * Checks how long tasks wait for one frozen node, if nothing else happens. The broker gives it messages for its free slots, until it gives
 * up on the node. Tasks that the frozen node itself submits or retries are left out: their messages are sent late.
 */
export function* checkHeld({ world, cluster }: Observed): Iterable<BrokenPromise> {
  const { faults } = world.plan
  const frozen = faults[0]?.node
  if (frozen === undefined || !faults.every(({ type, node }) => type === 'freeze' && node === frozen)) return
  const runs = runsOf(cluster)
  for (const [taskId, written] of world.written)
    for (const [index, { event, atMs }] of written.entries()) {
      const isWaiting = event.type === 'TaskCreated' || (event.type === 'TaskFailed' && event.retryAt !== undefined)
      if (!isWaiting || event.node.startsWith(`${frozen}-`) || (event.type === 'TaskCreated' && event.queue === 'serial')) continue
      const next = written[index + 1]
      const dueAt = Math.max(atMs, dueAtOf(event) - world.time.startAt)
      const isLate = next !== undefined && next.atMs > dueAt + heartbeatMs + inTimeMs
      // With fewer than two runs, one of the other workers has a free slot.
      if (isLate && runs.filter((run) => run.startedAt < next.atMs && endedAt(run) > dueAt).length < 2)
        yield { promise: 'held', detail: `${shortId(taskId)} waited from ${dueAt} to ${next.atMs} ms` }
    }
}
