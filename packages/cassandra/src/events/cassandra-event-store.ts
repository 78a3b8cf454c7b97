import { decodeEvent } from '@taskledger/core/codec'
import type {
  AppendOptions,
  CallOptions,
  EventStore,
  EventStoreCapabilities,
  ReadOptions,
  RemoveOptions,
  TaskEvent,
  TaskId,
} from '@taskledger/core/ports'
import { cohortOf } from '@taskledger/core/ports'
import type { Append } from './append.ts'
import { appendOf } from './append.ts'
import { conditionalAppends, freshAppends } from './append-groups.ts'
import type { EventPages } from './event-table.ts'
import { EventTable } from './event-table.ts'
import { HistoryReads } from './history-reads.ts'
import type { GroupCommit } from '../connection/group-commit.ts'
import type { SessionShare } from '../connection/session-share.ts'
import type { Session } from '../connection/session.ts'

/** The maximum number of rows in a deletion. Histories have tens. */
const maxDeletedTogether = 500

/**
 * The event store: a partition for each cohort. The version check and the write are one conditional batch, in the same
 * Paxos round.
 */
export class CassandraEventStore implements EventStore {
  readonly capabilities: EventStoreCapabilities = { durability: 'failover' }
  readonly #share: SessionShare
  readonly #table: EventTable
  readonly #fresh: GroupCommit<Append>
  readonly #conditional: GroupCommit<Append>
  readonly #reads: HistoryReads

  constructor(session: Session, pages: EventPages = {}) {
    this.#share = session.share('the event store')
    this.#table = new EventTable(session, pages)
    this.#fresh = freshAppends(this.#table)
    this.#conditional = conditionalAppends(this.#table)
    this.#reads = new HistoryReads(this.#table)
  }

  async append(taskId: TaskId, expectedVersion: number, events: readonly TaskEvent[], options: AppendOptions = {}): Promise<void> {
    const { signal, isFresh = false, follows } = options
    this.#share.enter(signal)
    const group = isFresh && expectedVersion === 0 ? this.#fresh : this.#conditional
    await group.add(cohortOf(taskId), appendOf(taskId, expectedVersion, events, follows), signal)
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

  // The deletion is conditional, so that Paxos orders it with the appends: the timestamp of a plain deletion comes from
  // another clock than the ballots of appends. The newest rows go first, so that a concurrent read sees a prefix.
  // Each row is deleted by the id of its event: another history of the same id may stand there by then.
  async remove(taskId: TaskId, { signal, firstEventId }: RemoveOptions = {}): Promise<void> {
    this.#share.enter(signal)
    for (;;) {
      const history = (await this.#table.eventIds([taskId], { signal })).get(taskId) ?? new Map<number, string>()
      if (history.size === 0 || (firstEventId !== undefined && history.get(1) !== firstEventId)) return
      await this.#table.delete(taskId, [...history].slice(-maxDeletedTogether), { signal })
    }
  }

  async close(): Promise<void> {
    await this.#share.close()
  }
}
