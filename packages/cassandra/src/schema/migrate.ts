import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { consoleLogger, TaskledgerError } from '@taskledger/core/ports'
import { connect } from '../connection/connect.ts'
import { checkOptions } from '../connection/option-checks.ts'
import type { MigrationOptions } from '../connection/options.ts'
import type { SchemaStep } from './steps.ts'
import { schemaSteps, stateRows, stateTable } from './steps.ts'
import { requireKeyspace, schemaVersion } from './check.ts'
import { Session } from '../connection/session.ts'

/** The lock of a migration that died frees itself. A migration that lives renews it before each definition. */
const lockSeconds = 60
/** How long to wait for the migration of another node, or for a cluster to agree. */
const patienceMs = 120_000
const lookAgainMs = 200

/** Creates the schema, or brings it up to date by the steps that are missing. */
export const migrateBy = async (steps: readonly SchemaStep[], options: MigrationOptions): Promise<void> => {
  checkOptions(options)
  const connection = await connect(options)
  // Definitions take longer than requests, above all on a cluster of many nodes.
  const session = new Session(connection, { ...options, requestTimeoutMs: 30_000 })
  try {
    if (options.replication !== undefined) await createKeyspace(session, options.replication)
    await requireKeyspace(session)
    await createStateTable(session)
    await takeSteps(session, steps, options)
  } finally {
    await session.close()
  }
}

const takeSteps = async (session: Session, steps: readonly SchemaStep[], { logger = consoleLogger }: MigrationOptions): Promise<void> => {
  const owner = randomUUID()
  const until = performance.now() + patienceMs
  for (;;) {
    const version = await schemaVersion(session)
    if (version > steps.length)
      throw new TaskledgerError(
        'MISCONFIGURED',
        `the schema of the keyspace "${session.keyspace}" is at version ${version}, this release knows only ${steps.length}: a newer release of @taskledger/cassandra made it; nothing was changed`,
      )
    const step = steps[version]
    if (step === undefined) return
    if (await lock(session, owner)) {
      try {
        // Somebody else may have taken the step between the look and the lock.
        if ((await schemaVersion(session)) === version) {
          await takeStep(session, step, () => keepLock(session, owner))
          await setVersion(session, version, version + 1)
          logger.info({ keyspace: session.keyspace, version: version + 1 }, 'the schema was brought up to date')
        }
      } finally {
        await unlock(session, owner)
      }
    } else {
      if (performance.now() > until)
        throw new TaskledgerError('UNAVAILABLE', `another node has been changing the schema of "${session.keyspace}" for ${patienceMs} ms`)
      await sleep(lookAgainMs)
    }
  }
}

const takeStep = async (session: Session, { tables, changes = [], settings }: SchemaStep, keep: () => Promise<void>): Promise<void> => {
  const compaction = await compactionOf(session)
  for (const { name, definition } of tables) {
    await keep()
    const withCompaction = definition.includes('compaction') ? definition : `${definition} AND compaction = ${compaction}`
    await define(session, `CREATE TABLE IF NOT EXISTS ${session.table(name)} ${withCompaction}`)
  }
  for (const change of changes) {
    await keep()
    await define(session, change.replaceAll('%keyspace%', `"${session.keyspace}"`))
  }
  for (const [name, value] of Object.entries(settings))
    await session.conditional([
      { cql: `INSERT INTO ${session.table(stateTable)} (name, value) VALUES (?, ?) IF NOT EXISTS`, params: [name, value] },
    ])
}

const createKeyspace = async (session: Session, replication: Readonly<Record<string, string | number>>): Promise<void> => {
  const pairs = Object.entries(replication).map(([name, value]) => `'${quoted(name)}': '${quoted(String(value))}'`)
  await define(session, `CREATE KEYSPACE IF NOT EXISTS "${session.keyspace}" WITH replication = {${pairs.join(', ')}}`)
}

/**
 * The one definition that no lock can guard. Two nodes that create a table at the same time on two hosts give it two ids,
 * and the cluster never agrees: so the id follows from the keyspace.
 */
const createStateTable = async (session: Session): Promise<void> => {
  const hash = createHash('sha256').update(`taskledger ${session.keyspace}`).digest('hex')
  const id = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-5${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`
  await define(session, `CREATE TABLE IF NOT EXISTS ${session.table(stateTable)} (name text PRIMARY KEY, value text) WITH id = ${id}`)
}

/** Runs a definition, and waits until all hosts know of it. */
const define = async (session: Session, cql: string): Promise<void> => {
  await session.execute(cql, [], { isPrepared: false })
  const until = performance.now() + patienceMs
  while (!(await isAgreed(session))) {
    if (performance.now() > until)
      throw new TaskledgerError(
        'UNAVAILABLE',
        `the hosts of the cluster do not agree on the schema after ${patienceMs} ms: look at \`nodetool describecluster\``,
      )
    await sleep(lookAgainMs)
  }
}

const isAgreed = async (session: Session): Promise<boolean> => {
  const [local, peers] = await Promise.all([
    session.execute('SELECT schema_version FROM system.local', []),
    session.execute('SELECT schema_version FROM system.peers', []),
  ])
  return new Set([...local, ...peers].map((row) => String(row['schema_version']))).size <= 1
}

/** The unified strategy came with 5.0; while hosts of 4.x are there, it cannot be named. */
const compactionOf = async (session: Session): Promise<string> => {
  const [local, peers] = await Promise.all([
    session.execute('SELECT release_version FROM system.local', []),
    session.execute('SELECT release_version FROM system.peers', []),
  ])
  const isNew = [...local, ...peers].every((row) => Number.parseInt(String(row['release_version']), 10) >= 5)
  return `{'class': '${isNew ? 'UnifiedCompactionStrategy' : 'LeveledCompactionStrategy'}'}`
}

const lock = async (session: Session, owner: string): Promise<boolean> => {
  const cql = `INSERT INTO ${session.table(stateTable)} (name, value) VALUES (?, ?) IF NOT EXISTS USING TTL ${lockSeconds}`
  const { applied, rows } = await session.conditional([{ cql, params: [stateRows.lock, owner] }])
  return applied || rows[0]?.['value'] === owner
}

const keepLock = async (session: Session, owner: string): Promise<void> => {
  const cql = `UPDATE ${session.table(stateTable)} USING TTL ${lockSeconds} SET value = ? WHERE name = ? IF value = ?`
  const { applied } = await session.conditional([{ cql, params: [owner, stateRows.lock, owner] }])
  if (!applied)
    throw new TaskledgerError('UNAVAILABLE', 'the migration was so slow that another node has taken it over: call migrate() again')
}

const unlock = async (session: Session, owner: string): Promise<void> => {
  const cql = `DELETE FROM ${session.table(stateTable)} WHERE name = ? IF value = ?`
  await session.conditional([{ cql, params: [stateRows.lock, owner] }])
}

const setVersion = async (session: Session, from: number, to: number): Promise<void> => {
  const cql = `UPDATE ${session.table(stateTable)} SET value = ? WHERE name = ? IF value = ?`
  await session.conditional([{ cql, params: [String(to), stateRows.version, from === 0 ? null : String(from)] }])
}

const quoted = (text: string): string => text.replaceAll("'", "''")

/** Creates the schema, or brings it up to date. Any number of nodes may call it at once. */
export const migrate = async (options: MigrationOptions): Promise<void> => migrateBy(schemaSteps, options)
