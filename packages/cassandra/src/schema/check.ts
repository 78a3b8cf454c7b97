import { codeOf, misconfigured, unavailable } from '@taskledger/core/ports'
import { schemaSteps, stateRows, stateTable } from './steps.ts'
import type { Session } from '../connection/session.ts'

/**
 * Checks that the schema exists, has the version of this release, and can be written to.
 *
 * @throws `MISCONFIGURED`; the message says what to do.
 */
export const checkSchema = async (session: Session): Promise<void> => {
  const { keyspace } = session
  await requireKeyspace(session)
  const version = await schemaVersion(session)
  const known = schemaSteps.length
  if (version === 0) throw misconfigured(`the keyspace "${keyspace}" has no schema: call migrate() once before you open a storage`)
  if (version < known)
    throw misconfigured(
      `the schema of the keyspace "${keyspace}" is at version ${version}, but this release needs ${known}: call migrate()`,
    )
  if (version > known)
    throw misconfigured(
      `the schema of the keyspace "${keyspace}" is at version ${version}, but this release knows only ${known}: ` +
        'install the newer release of @taskledger/cassandra that made it',
    )
  await requireWriting(session)
}

/** @throws `MISCONFIGURED` if the keyspace does not exist. */
export const requireKeyspace = async (session: Session): Promise<void> => {
  const { keyspace } = session
  const rows = await session.execute('SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?', [keyspace])
  if (rows.length === 0)
    throw misconfigured(`Cassandra has no keyspace "${keyspace}": create it, call migrate({ replication: … }), or check \`keyspace\``)
}

/** The version of the schema; 0 if there is none. */
export const schemaVersion = async (session: Session): Promise<number> => Number((await stateOf(session, stateRows.version)) ?? 0)

/**
 * A setting of the schema. It never changes after the first migration.
 *
 * @throws `MISCONFIGURED` if there is no such setting.
 */
export const settingOf = async (session: Session, name: string): Promise<string> => {
  const value = await stateOf(session, name)
  if (value === undefined) throw misconfigured(`the schema of the keyspace "${session.keyspace}" has no setting "${name}": call migrate()`)
  return value
}

const stateOf = async (session: Session, name: string): Promise<string | undefined> => {
  const tables = await session.execute('SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?', [
    session.keyspace,
    stateTable,
  ])
  if (tables.length === 0) return undefined
  const rows = await session.execute(`SELECT value FROM ${session.table(stateTable)} WHERE name = ?`, [name], { isSerial: true })
  return rows[0]?.['value'] as string | undefined
}

/**
 * Deletes a row that never exists: the permission to write is separate from the permission to read, and without this
 * check the first append would find it missing.
 */
const requireWriting = async (session: Session): Promise<void> => {
  try {
    await session.execute(
      `DELETE FROM ${session.table('task_event')} USING TIMESTAMP 1 WHERE prefix = ? AND cohort = ? AND task_id = ? AND version = ?`,
      [session.prefix, '', '', 0],
      { isRepeatable: true },
    )
  } catch (error) {
    if (codeOf(error) === 'OUTCOME_UNKNOWN') throw unavailable(String(error), error)
    throw error
  }
}

/**
 * Writes a row that a tombstone hides already: Cassandra refuses a time to live that ends later than it can store (in
 * 2038, for 4.1), and without this check the end of a task could not be listed.
 *
 * @throws `MISCONFIGURED` if it is refused.
 */
export const requireTimeToLive = async (session: Session, seconds: number): Promise<void> => {
  const table = session.table('task_progress')
  const key = [session.prefix, '', new Date(0)]
  await session.execute(`DELETE FROM ${table} USING TIMESTAMP 1 WHERE prefix = ? AND task_id = ? AND created_at = ?`, key, {
    isRepeatable: true,
  })
  const cql = `INSERT INTO ${table} (prefix, task_id, created_at) VALUES (?, ?, ?) USING TIMESTAMP 1 AND TTL ?`
  try {
    await session.execute(cql, [...key, seconds], { isRepeatable: true })
  } catch (error) {
    if (codeOf(error) === 'OUTCOME_UNKNOWN') throw unavailable(String(error), error)
    if (codeOf(error) !== 'MISCONFIGURED') throw error
    throw misconfigured(`Cassandra refuses finishedRowsTtlMs (${(error as Error).message}): give less`, error)
  }
}
