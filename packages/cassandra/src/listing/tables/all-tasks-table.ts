import type { CallOptions, ListingPosition, TaskDetails } from '@taskledger/core/ports'
import { isFinalStatus, isUnreadableRow } from '@taskledger/core/ports'
import { listShards } from './buckets.ts'
import { certainFacets, everyTask, facetsOf } from './facets.ts'
import type { IndexTableOptions } from './index-table.ts'
import { FacetedTable } from './faceted-table.ts'
import { removalTimestamp } from './timestamps.ts'
import type { Session, Statement } from '../../connection/session.ts'

export interface AllTasksTableOptions extends Omit<IndexTableOptions, 'index'> {
  /** How long the rows of a finished task stay, in milliseconds; 0: they never expire. */
  readonly finishedRowsTtlMs: number
}

/** The list of all tasks, finished or not. */
export class AllTasksTable {
  readonly table: FacetedTable
  readonly #session: Session
  readonly #finishedTtlSeconds: number

  constructor(session: Session, { bucketMs, pageRows, finishedRowsTtlMs }: AllTasksTableOptions) {
    this.table = new FacetedTable(session, { rows: 'task_list', index: 'task_list_bucket', bucketMs, pageRows, shards: listShards })
    this.#session = session
    this.#finishedTtlSeconds = Math.ceil(finishedRowsTtlMs / 1_000)
  }

  /** Makes sure that every list finds the partition of the task. */
  async ensureIndexed(details: TaskDetails): Promise<void> {
    await this.table.ensureIndexed(details, facetsOf(details))
  }

  /** The statements that write a task, all in one partition. */
  upserts(details: TaskDetails, text: string): readonly Statement[] {
    const ttl = isFinalStatus(details.status) ? this.#finishedTtlSeconds : 0
    return facetsOf(details).map((facet) => this.table.upsert(details, facet, text, ttl))
  }

  /** Deletes the rows of a task's present facets. Rows of earlier facets stay: without details they list nothing. */
  async remove(position: ListingPosition, options: CallOptions): Promise<void> {
    const [details] = await this.table.details(this.table.partitionOf(position), [position], options)
    const facets = details === undefined ? [everyTask] : isUnreadableRow(details) ? certainFacets : facetsOf(details)
    const deletions = facets.map((facet) => this.table.deletion(position, facet, removalTimestamp(position.createdAt)))
    await this.#session.batch(deletions, { ...options, isRepeatable: true })
  }
}
