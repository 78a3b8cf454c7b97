/** A table: its name, and what comes after the name in CREATE TABLE. */
export interface TableDefinition {
  readonly name: string
  readonly definition: string
}

/** The tables of the listing. `listing/tables` says what each is for. */
export const listingTables: readonly TableDefinition[] = [
  {
    name: 'task_list',
    // Timestamps count from the creation, so a time window holds the tasks that were created on one day. Expired rows
    // are dropped in whole files.
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
    // A row that reappears after its tombstone was dropped does no harm: the janitor reads the history and saves the
    // end again.
    definition: `(
  prefix text, bucket timestamp, shard int, facet text, created_at timestamp, task_id text, version int, status text, details text,
  PRIMARY KEY ((prefix, bucket, shard), facet, created_at, task_id)
) WITH CLUSTERING ORDER BY (facet ASC, created_at DESC, task_id DESC) AND gc_grace_seconds = 86400`,
  },
  {
    name: 'task_unfinished_bucket',
    // Rows come and go every minute, so tombstones are dropped early. If a row reappears, its partition is empty, and a
    // scan deletes it again.
    definition: `(
  prefix text, facet text, shard int, bucket timestamp, seen timestamp,
  PRIMARY KEY ((prefix, facet, shard), bucket)
) WITH CLUSTERING ORDER BY (bucket DESC) AND gc_grace_seconds = 10800`,
  },
  {
    name: 'task_progress',
    definition: `(
  prefix text, task_id text, created_at timestamp, progress text,
  PRIMARY KEY ((prefix, task_id), created_at)
) WITH gc_grace_seconds = 86400`,
  },
]
