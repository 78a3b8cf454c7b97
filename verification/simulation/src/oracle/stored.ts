import type { TaskDetails, TaskEvent, TaskId, TaskStorage } from '@taskledger/core/ports'
import { decodeEvent, encodeEvent } from '@taskledger/core/codec'
import { isUnreadableRow } from '@taskledger/core/ports'
import type { Clients } from '../cluster/clients.ts'
import type { SimulatedCluster } from '../cluster/cluster.ts'
import type { World } from '../world/world.ts'

/** Everything that a check looks at. */
export interface Observed {
  readonly world: World
  readonly cluster: SimulatedCluster
  readonly clients: Clients
  /** A client of the engines that belongs to no node. */
  readonly outside: TaskStorage
}

/** What the engines hold. */
export interface Stored {
  readonly histories: ReadonlyMap<TaskId, readonly TaskEvent[]>
  /** The last histories of the tasks that were purged, and not submitted again. */
  readonly purged: ReadonlyMap<TaskId, readonly TaskEvent[]>
  readonly rows: ReadonlyMap<TaskId, TaskDetails>
  readonly unfinished: readonly TaskDetails[]
  /** The tasks whose history or row cannot be read, and why. */
  readonly unreadable: ReadonlyMap<TaskId, string>
}

/** Reads everything that the engines hold. */
export const readStored = async ({ outside, world }: Observed): Promise<Stored> => {
  const histories = new Map<TaskId, readonly TaskEvent[]>()
  const unreadable = new Map<TaskId, string>()
  for await (const taskId of outside.events.histories())
    try {
      const events = await outside.events.read(taskId)
      // Memory keeps values: other engines keep text.
      histories.set(taskId, world.plan.careless === undefined ? events : events.map((event) => decodeEvent(encodeEvent(event))))
    } catch (error) {
      unreadable.set(taskId, String(error))
    }
  const { tasks } = await outside.listing.list({}, { limit: 1_000 })
  const unfinished: TaskDetails[] = []
  for await (const row of outside.listing.unfinished({ shard: 0, of: 1 })) {
    if (isUnreadableRow(row)) unreadable.set(row.taskId, row.unreadable)
    else unfinished.push(row)
  }
  const purged = new Map<TaskId, readonly TaskEvent[]>()
  if (world.hasPurged)
    for (const [taskId, written] of world.written)
      if (!histories.has(taskId) && !unreadable.has(taskId)) {
        const events = written.map(({ event }) => event)
        purged.set(taskId, events.slice(events.findLastIndex(({ type }) => type === 'TaskCreated')))
      }
  return { histories, purged, rows: new Map(tasks.map((row) => [row.taskId, row])), unfinished, unreadable }
}
