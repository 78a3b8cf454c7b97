import type { TableDefinition } from './listing-tables.ts'
import { listingTables } from './listing-tables.ts'

/**
 * Brings the schema from one version to the next. A step may have been half executed before, so every part has to
 * be repeatable.
 */
export interface SchemaStep {
  /**
   * New tables. Each has a WITH clause. If that names no compaction, the migration adds the default of the server's
   * release.
   */
  readonly tables: readonly TableDefinition[]
  /** Other definitions. `%keyspace%` stands for the keyspace. */
  readonly changes?: readonly string[]
  /** Settings: written only if they do not exist, and read by `settingOf`. */
  readonly settings: Readonly<Record<string, string>>
}

/** A row for each event, a partition for each cohort. The next append sets `followed`; nothing reads it. */
const eventTable: TableDefinition = {
  name: 'task_event',
  definition: `(
  prefix text, cohort text, task_id text, version int, event_id text, event text, followed boolean,
  PRIMARY KEY ((prefix, cohort), task_id, version)
) WITH CLUSTERING ORDER BY (task_id ASC, version ASC)`,
}

/** A node that was away for three hours has expired in any case, so its tombstones need not be kept longer. */
const nodeTable: TableDefinition = {
  name: 'task_node',
  definition: `(
  prefix text, node_id text, node text,
  PRIMARY KEY ((prefix), node_id)
) WITH gc_grace_seconds = 10800`,
}

/** The setting for how much creation time a bucket of the list holds, in milliseconds. */
export const listBucketSetting = 'list_bucket_ms'

/**
 * How much creation time a bucket of the list holds by default, in milliseconds: at 1,000 tasks a second, ten minutes
 * are some 150,000 tasks in a partition. Quiet times cost little, because only buckets that exist are read.
 */
export const defaultListBucketMs = 600_000

/** The first step makes version 1, and so on. Never change a step that was released. */
export const schemaSteps: readonly SchemaStep[] = [
  { tables: [eventTable, nodeTable, ...listingTables], settings: { [listBucketSetting]: String(defaultListBucketMs) } },
]

/** The table of the schema's version, the migration lock and the settings. Only conditional statements write it. */
export const stateTable = 'task_schema'

/** The rows of the state table that are not settings. */
export const stateRows = { version: 'version', lock: 'lock' } as const
