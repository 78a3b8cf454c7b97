/** A table: what comes after `CREATE TABLE IF NOT EXISTS <keyspace>.<name>`. */
export interface TableDefinition {
  readonly name: string
  readonly definition: string
}

/** The tables of the listing. What each is for stands where it is written: listing-table.ts, unfinished-table.ts, partition-index.ts, progress.ts. */
export const listingTables: readonly TableDefinition[] = [
  {
    name: 'task_list',
    // The windows hold what was created on one day, since the timestamps count from there: rows with a time to live go by whole files.
    definition: `(
  prefix text, bucket timestamp, shard int, facet text, created_at timestamp, task_id text, version int, status text, details text,
  PRIMARY KEY ((prefix, bucket, shard), facet, created_at, task_id)
) WITH CLUSTERING ORDER BY (facet ASC, created_at DESC, task_id DESC)
  AND compaction = {'class': 'TimeWindowCompactionStrategy'}
  AND gc_grace_seconds = 86400`,
  },
  {
    name: 'task_list_bucket',
    definition: `(
  prefix text, facet text, shard int, bucket timestamp, seen timestamp,
  PRIMARY KEY ((prefix, facet, shard), bucket)
) WITH CLUSTERING ORDER BY (bucket DESC) AND gc_grace_seconds = 10800`,
  },
  {
    name: 'task_unfinished',
    // A row that comes back because its tombstone was forgotten does no harm: the janitor looks at the history and saves the end again.
    definition: `(
  prefix text, bucket timestamp, shard int, facet text, created_at timestamp, task_id text, version int, status text, details text,
  PRIMARY KEY ((prefix, bucket, shard), facet, created_at, task_id)
) WITH CLUSTERING ORDER BY (facet ASC, created_at DESC, task_id DESC) AND gc_grace_seconds = 86400`,
  },
  {
    name: 'task_unfinished_bucket',
    // Rows come and go by the minute: their tombstones must not pile up. A row that comes back is found empty, and goes again.
    definition: `(
  prefix text, facet text, shard int, bucket timestamp, seen timestamp,
  PRIMARY KEY ((prefix, facet, shard), bucket)
) WITH CLUSTERING ORDER BY (bucket DESC) AND gc_grace_seconds = 10800`,
  },
  {
    name: 'task_progress',
    definition: `(
  prefix text, task_id text, progress text,
  PRIMARY KEY ((prefix, task_id))
) WITH gc_grace_seconds = 86400`,
  },
]
