import type { Client } from 'cassandra-driver'

/** The tables of the floors: the shapes of the adapter's tables, under other names. */
const tables = [
  `CREATE TABLE IF NOT EXISTS bare_event (cohort text, task text, seq int, event_id text, body text,
     PRIMARY KEY (cohort, task, seq))`,
  `CREATE TABLE IF NOT EXISTS bare_row (bucket text, created_at timestamp, task text, version int, status text, body text,
     PRIMARY KEY (bucket, created_at, task)) WITH CLUSTERING ORDER BY (created_at DESC, task DESC)`,
  'CREATE TABLE IF NOT EXISTS bare_unfinished (shard text, task text, version int, body text, PRIMARY KEY (shard, task))',
  'CREATE TABLE IF NOT EXISTS bare_snapshot (task text PRIMARY KEY, body text)',
  'CREATE TABLE IF NOT EXISTS bare_projection (task text PRIMARY KEY, version int, status text, body text)',
]

export const createBareTables = async (client: Client): Promise<void> => {
  for (const table of tables) await client.execute(table)
}

/** A body as large as an event or a row of a no-op task. */
export const bareBody = (task: string, type: string): string =>
  JSON.stringify({ v: 1, taskId: task, type, version: 1, eventId: task, at: Date.now(), node: 'bare', rest: 'x'.repeat(180) })
