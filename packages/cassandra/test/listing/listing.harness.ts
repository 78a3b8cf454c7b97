import type { TaskListing } from '@taskledger/core/ports'
import type { Harness } from '@taskledger/test-kit'
import type { TestKeyspace } from '../cassandra.harness.ts'
import { cassandraHarness, injectRowWith, runPlainly } from '../cassandra.harness.ts'
import { listingOn } from './samples.ts'

/** Small, so that the rules about long lists need few tasks. */
const pageRows = 50

/** The harness of the task listing. No rule of it loses answers, and many of them send large requests. */
export const listingHarness = (keyspace: () => TestKeyspace, restart?: () => Promise<void>): Harness<TaskListing> => {
  const harness = cassandraHarness(keyspace, (session) => listingOn(session, 0, pageRows), injectRowWith, restart, 8_000)
  return {
    ...harness,
    pageRows,
    open: async (options) => ({
      ...(await harness.open(options)),
      injectProgress: async (bytes, taskId) => {
        const { endpoint, keyspace: name } = keyspace()
        const table = `"${name}".task_progress`
        const key = [options.namespace, taskId]
        const select = `SELECT created_at, WRITETIME(progress) AS written FROM ${table} WHERE prefix = ? AND task_id = ?`
        const [[row] = []] = await runPlainly(endpoint, [[select, ...key]])
        // Later than the report that is there, and earlier than those that follow.
        const later = BigInt(String(row?.['written'])) + 1n
        const insert = `INSERT INTO ${table} (prefix, task_id, created_at, progress) VALUES (?, ?, ?, ?) USING TIMESTAMP ${later}`
        await runPlainly(endpoint, [[insert, ...key, row?.['created_at'], new TextDecoder().decode(bytes)]])
      },
    }),
  }
}
