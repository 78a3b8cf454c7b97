import { Client } from 'cassandra-driver'
import { cassandraStorage, migrate } from '@taskledger/cassandra'
import type { TaskStorage, TaskId } from '@taskledger/core/ports'
import { cohortOf, silentLogger } from '@taskledger/core/ports'
import type { CassandraEndpoint } from '@taskledger/servers'
import { freshKeyspaceName } from '@taskledger/servers'
import type { Side } from './side.ts'

export interface CassandraSide extends Side<TaskStorage> {
  readonly keyspace: string
}

/** A keyspace of its own, in which each rule has its own prefix. */
export const cassandraSide = ({ version, ...endpoint }: CassandraEndpoint): CassandraSide => {
  const keyspace = freshKeyspaceName()
  // For what no adapter does: rows that no codec wrote, and the keyspace itself.
  const client = new Client({ ...endpoint, contactPoints: [...endpoint.contactPoints], socketOptions: { readTimeout: 30_000 } })
  return {
    name: `cassandra ${version}`,
    keyspace,
    start: () => migrate({ ...endpoint, keyspace, logger: silentLogger, replication: { class: 'SimpleStrategy', replication_factor: 1 } }),
    open: (prefix) => ({
      client: () => cassandraStorage({ ...endpoint, keyspace, prefix, logger: silentLogger }),
      inject: async (bytes, _kind, taskId) => {
        const key = [prefix, cohortOf(taskId as TaskId), taskId]
        const where = 'prefix = ? AND cohort = ? AND task_id = ?'
        const { rows } = await client.execute(`SELECT max(version) AS version FROM ${keyspace}.task_event WHERE ${where}`, key, {
          prepare: true,
        })
        const version = Number(rows[0]?.['version'] ?? 0) + 1
        const insert = `INSERT INTO ${keyspace}.task_event (prefix, cohort, task_id, version, event_id, event) VALUES (?, ?, ?, ?, ?, ?)`
        await client.execute(insert, [...key, version, 'injected', new TextDecoder().decode(bytes)], { prepare: true })
      },
      inspect: () => `keyspace ${keyspace}, prefix ${prefix}`,
      // They go with the keyspace.
      dispose: async () => {},
    }),
    stop: async () => {
      try {
        await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`)
      } finally {
        await client.shutdown()
      }
    },
  }
}
