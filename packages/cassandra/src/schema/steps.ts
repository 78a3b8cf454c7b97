import type { TableDefinition } from './listing-tables.ts'
import { listingTables } from './listing-tables.ts'

/** What brings a schema from one version to the next. Every part may meet itself half done: it has to be repeatable. */
export interface SchemaStep {
  /** New tables. Each has a WITH clause; one that names no compaction gets that of the engine. */
  readonly tables: readonly TableDefinition[]
  /** Other definitions, in which `%keyspace%` stands for the keyspace. */
  readonly changes?: readonly string[]
  /** Written once, where they are not there yet, and read by {@link settingOf}. */
  readonly settings: Readonly<Record<string, string>>
}

/** Row per event, a cohort to a partition. `followed` is set by the append that comes next; nothing reads it. */
const eventTable: TableDefinition = {
  name: 'task_event',
  definition: `(
  prefix text, cohort text, task_id text, version int, event_id text, event text, followed boolean,
  PRIMARY KEY ((prefix, cohort), task_id, version)
) WITH CLUSTERING ORDER BY (task_id ASC, version ASC)`,
}

/** A node that is gone for three hours has expired in any case: its tombstones may go. */
const nodeTable: TableDefinition = {
  name: 'task_node',
  definition: `(
  prefix text, node_id text, node text,
  PRIMARY KEY ((prefix), node_id)
) WITH gc_grace_seconds = 10800`,
}

/** The setting that says how much time a bucket of the list holds, in milliseconds. */
export const listBucketSetting = 'list_bucket_ms'

/**
 * The stretch of creation time that one bucket of the list holds unless the settings say otherwise, in milliseconds: ten minutes are
 * some 150,000 tasks in a partition at 1,000 a second. Quiet times cost little, since only buckets that exist are read.
 */
export const defaultListBucketMs = 600_000

/** The first step makes version 1, and so on. A step that was released is never changed. */
export const schemaSteps: readonly SchemaStep[] = [
  { tables: [eventTable, nodeTable, ...listingTables], settings: { [listBucketSetting]: String(defaultListBucketMs) } },
]

/** Holds the schema's version, the lock of those who change it, and settings. Written by conditional statements only. */
export const stateTable = 'task_schema'

/** The rows of the state table that are no settings. */
export const stateRows = { version: 'version', lock: 'lock' } as const
