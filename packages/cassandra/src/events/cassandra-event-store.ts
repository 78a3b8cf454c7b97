import { decodeEvent } from '@taskledger/core/codec'
import type { AppendOptions, CallOptions, EventStore, EventStoreCapabilities, ReadOptions, TaskEvent, TaskId } from '@taskledger/core/ports'
import { cohortOf } from '@taskledger/core/ports'
import type { Append } from './append.ts'
import { appendOf } from './append.ts'
import { conditionalAppends, freshAppends } from './append-groups.ts'
import { EventTable } from './event-table.ts'
import { HistoryReads } from './history-reads.ts'
import type { GroupCommit } from '../connection/group-commit.ts'
import type { SessionShare } from '../connection/session-share.ts'
import type { Session } from '../connection/session.ts'

/** Rows that one deletion takes away. Histories have tens. */
const maxDeletedTogether = 500

/** Histories in partitions of a cohort each, written with a comparison in the same round of Paxos. */
export class CassandraEventStore implements EventStore {
  readonly capabilities: EventStoreCapabilities = { durability: true }
  readonly #share: SessionShare
  readonly #table: EventTable
  readonly #fresh: GroupCommit<Append>
  readonly #conditional: GroupCommit<Append>
  readonly #reads: HistoryReads

  constructor(session: Session) {
    this.#share = session.share('the event store')
    this.#table = new EventTable(session)
    this.#fresh = freshAppends(this.#table)
    this.#conditional = conditionalAppends(this.#table)
    this.#reads = new HistoryReads(this.#table)
  }

  async append(taskId: TaskId, expectedVersion: number, events: readonly TaskEvent[], options: AppendOptions = {}): Promise<void> {
    const { signal, isFresh = false } = options
    this.#share.enter(signal)
    const lanes = isFresh && expectedVersion === 0 ? this.#fresh : this.#conditional
    await lanes.add(cohortOf(taskId), appendOf(taskId, expectedVersion, events), signal)
  }

  async read(taskId: TaskId, { afterVersion = 0, signal }: ReadOptions = {}): Promise<readonly TaskEvent[]> {
    this.#share.enter(signal)
    return (await this.#reads.texts({ taskId, afterVersion }, signal)).map(decodeEvent)
  }

  async *histories({ signal }: CallOptions = {}): AsyncGenerator<TaskId, void, undefined> {
    this.#share.enter(signal)
    for await (const taskId of this.#table.taskIds({ signal })) {
      this.#share.enter(signal)
      yield taskId
    }
  }

  // Conditional, so that it stands in one order with the appends: a plain deletion and a ballot go by different clocks. The
  // newest rows go first: whoever reads meanwhile sees a prefix.
  async remove(taskId: TaskId, { signal }: CallOptions = {}): Promise<void> {
    this.#share.enter(signal)
    for (;;) {
      const history = (await this.#table.eventIds([taskId], { signal })).get(taskId) ?? new Map<number, string>()
      if (history.size === 0) return
      await this.#table.delete(taskId, [...history.keys()].slice(-maxDeletedTogether), { signal })
    }
  }

  async close(): Promise<void> {
    await this.#share.close()
  }
}
