import { decodeEvent } from '@taskledger/core/codec'
import type { AppendOptions, CallOptions, EventStore, EventStoreCapabilities, ReadOptions, TaskEvent, TaskId } from '@taskledger/core/ports'
import { cohortOf } from '@taskledger/core/ports'
import type { Append } from './append.ts'
import { appendOf } from './append.ts'
import { conditionalLanes, freshLanes } from './append-lanes.ts'
import { EventTable } from './event-table.ts'
import { HistoryReads } from './history-reads.ts'
import type { Lanes } from './lanes.ts'
import type { Lease } from './lease.ts'
import type { Session } from './session.ts'

/** Rows that one deletion takes away. Histories have tens. */
const mostDeletedTogether = 500

/** Histories in partitions of a cohort each, written with a comparison in the same round of Paxos. */
export class CassandraEventStore implements EventStore {
  readonly capabilities: EventStoreCapabilities = { durability: true }
  readonly #lease: Lease
  readonly #table: EventTable
  readonly #fresh: Lanes<Append>
  readonly #conditional: Lanes<Append>
  readonly #reads: HistoryReads

  constructor(session: Session) {
    this.#lease = session.lease('the event store')
    this.#table = new EventTable(session)
    this.#fresh = freshLanes(this.#table)
    this.#conditional = conditionalLanes(this.#table)
    this.#reads = new HistoryReads(this.#table)
  }

  async append(taskId: TaskId, expectedVersion: number, events: readonly TaskEvent[], options: AppendOptions = {}): Promise<void> {
    const { signal, isFresh = false } = options
    this.#lease.enter(signal)
    const lanes = isFresh && expectedVersion === 0 ? this.#fresh : this.#conditional
    await lanes.add(cohortOf(taskId), appendOf(taskId, expectedVersion, events), signal)
  }

  async read(taskId: TaskId, { afterVersion = 0, signal }: ReadOptions = {}): Promise<readonly TaskEvent[]> {
    this.#lease.enter(signal)
    return (await this.#reads.texts({ taskId, afterVersion }, signal)).map(decodeEvent)
  }

  async *histories({ signal }: CallOptions = {}): AsyncGenerator<TaskId, void, undefined> {
    this.#lease.enter(signal)
    for await (const taskId of this.#table.taskIds({ signal })) {
      this.#lease.enter(signal)
      yield taskId
    }
  }

  // Conditional, so that it stands in one order with the appends: a plain deletion and a ballot go by different clocks. The
  // newest rows go first: whoever reads meanwhile sees a prefix.
  async remove(taskId: TaskId, { signal }: CallOptions = {}): Promise<void> {
    this.#lease.enter(signal)
    for (;;) {
      const history = (await this.#table.eventIds([taskId], { signal })).get(taskId) ?? new Map<number, string>()
      if (history.size === 0) return
      await this.#table.delete(taskId, [...history.keys()].slice(-mostDeletedTogether), { signal })
    }
  }

  async close(): Promise<void> {
    await this.#lease.close()
  }
}
