import { codeOf, TaskledgerError } from '@taskledger/core/ports'
import { schemaSteps, stateRows, stateTable } from './steps.ts'
import type { Session } from '../connection/session.ts'

const misconfigured = (text: string): TaskledgerError => new TaskledgerError('MISCONFIGURED', text)

/**
 * Makes sure that the schema is there, is the one of this release, and may be written to.
 *
 * @throws `MISCONFIGURED`, with what to do.
 */
export const checkSchema = async (session: Session): Promise<void> => {
  const { keyspace } = session
  await requireKeyspace(session)
  const version = await schemaVersion(session)
  const known = schemaSteps.length
  if (version === 0) throw misconfigured(`the keyspace "${keyspace}" has no schema: call migrate() once, before a storage is opened`)
  if (version < known)
    throw misconfigured(`the schema of the keyspace "${keyspace}" is at version ${version}, this release needs ${known}: call migrate()`)
  if (version > known)
    throw misconfigured(
      `the schema of the keyspace "${keyspace}" is at version ${version}, this release knows only ${known}: a newer release of @taskledger/cassandra made it; install that one`,
    )
  await requireWriting(session)
}

/** @throws `MISCONFIGURED` where the keyspace is not there. */
export const requireKeyspace = async (session: Session): Promise<void> => {
  const { keyspace } = session
  const rows = await session.execute('SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?', [keyspace])
  if (rows.length === 0)
    throw misconfigured(`Cassandra has no keyspace "${keyspace}": create it, or call migrate({ replication: … }), or check \`keyspace\``)
}

/** The version that the schema is at; 0 where there is none. */
export const schemaVersion = async (session: Session): Promise<number> => Number((await stateOf(session, stateRows.version)) ?? 0)

/**
 * A setting that the schema was made with, for good.
 *
 * @throws `MISCONFIGURED` where it is not there.
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

/** A deletion of what is never there: reading and writing are permitted one by one, and the first append is late to find out. */
const requireWriting = async (session: Session): Promise<void> => {
  try {
    await session.execute(
      `DELETE FROM ${session.table('task_event')} USING TIMESTAMP 1 WHERE prefix = ? AND cohort = ? AND task_id = ? AND version = ?`,
      [session.prefix, '', '', 0],
      { isRepeatable: true },
    )
  } catch (error) {
    if (codeOf(error) === 'OUTCOME_UNKNOWN') throw new TaskledgerError('UNAVAILABLE', String(error), { cause: error })
    throw error
  }
}
