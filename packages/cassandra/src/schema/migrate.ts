import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { consoleLogger, misconfigured, neverThrowing, unavailable } from '@taskledger/core/ports'
import { connect } from '../connection/connect.ts'
import { checkConnectionOptions } from '../connection/option-checks.ts'
import type { MigrationOptions } from '../connection/options.ts'
import type { SchemaStep } from './steps.ts'
import { schemaSteps, stateRows, stateTable } from './steps.ts'
import { requireKeyspace, schemaVersion } from './check.ts'
import { releaseLock, renewLock, takeLock } from './migration-lock.ts'
import { Session } from '../connection/session.ts'

/** How long to wait for the migration of another node, or for the hosts to agree on the schema, in milliseconds. */
const timeoutMs = 120_000
const pollMs = 200

/** Creates the schema, or upgrades it by the steps that are missing. */
export const migrateBy = async (steps: readonly SchemaStep[], options: MigrationOptions): Promise<void> => {
  checkConnectionOptions('migrate', options)
  const connection = await connect(options)
  // Definitions take longer than other requests, above all on large clusters.
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

const takeSteps = async (session: Session, steps: readonly SchemaStep[], options: MigrationOptions): Promise<void> => {
  const logger = neverThrowing(options.logger ?? consoleLogger)
  const owner = randomUUID()
  const until = performance.now() + timeoutMs
  for (;;) {
    const version = await schemaVersion(session)
    if (version > steps.length)
      throw misconfigured(
        `the schema of the keyspace "${session.keyspace}" is at version ${version}, but this release knows only ${steps.length}: ` +
          'a newer release of @taskledger/cassandra made it, and nothing was changed; migrate with that release',
      )
    const step = steps[version]
    if (step === undefined) return
    if (await takeLock(session, owner)) {
      try {
        // Another node may have taken the step before this one got the lock.
        if ((await schemaVersion(session)) === version) {
          await takeStep(session, step, () => renewLock(session, owner))
          await setVersion(session, version, version + 1)
          logger.info({ keyspace: session.keyspace, version: version + 1 }, 'upgraded the schema')
        }
      } finally {
        await releaseLock(session, owner)
      }
    } else {
      if (performance.now() > until)
        throw unavailable(
          `another node has held the migration lock of "${session.keyspace}" for ${timeoutMs} ms: ` +
            'call migrate() again when that node has finished',
        )
      await sleep(pollMs)
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
 * Creates the state table without a lock, because the lock is in this table. Two nodes that create a table on two hosts
 * at the same time would give it two ids, on which the hosts never agree: so the id is derived from the keyspace.
 */
const createStateTable = async (session: Session): Promise<void> => {
  const hash = createHash('sha256').update(`taskledger ${session.keyspace}`).digest('hex')
  const id = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-5${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`
  await define(session, `CREATE TABLE IF NOT EXISTS ${session.table(stateTable)} (name text PRIMARY KEY, value text) WITH id = ${id}`)
}

/** Runs a definition, and waits until all hosts have it. */
const define = async (session: Session, cql: string): Promise<void> => {
  await session.execute(cql, [], { isPrepared: false })
  const until = performance.now() + timeoutMs
  while (!(await isAgreed(session))) {
    if (performance.now() > until)
      throw unavailable(`the hosts of the cluster do not agree on the schema after ${timeoutMs} ms: see \`nodetool describecluster\``)
    await sleep(pollMs)
  }
}

const isAgreed = async (session: Session): Promise<boolean> => {
  const [local, peers] = await Promise.all([
    session.execute('SELECT schema_version FROM system.local', []),
    session.execute('SELECT schema_version FROM system.peers', []),
  ])
  return new Set([...local, ...peers].map((row) => String(row['schema_version']))).size <= 1
}

/** The default compaction: the unified strategy, unless the cluster has a host of 4.x, which does not know it. */
const compactionOf = async (session: Session): Promise<string> => {
  const [local, peers] = await Promise.all([
    session.execute('SELECT release_version FROM system.local', []),
    session.execute('SELECT release_version FROM system.peers', []),
  ])
  const isNew = [...local, ...peers].every((row) => Number.parseInt(String(row['release_version']), 10) >= 5)
  return `{'class': '${isNew ? 'UnifiedCompactionStrategy' : 'LeveledCompactionStrategy'}'}`
}

const setVersion = async (session: Session, from: number, to: number): Promise<void> => {
  const cql = `UPDATE ${session.table(stateTable)} SET value = ? WHERE name = ? IF value = ?`
  await session.conditional([{ cql, params: [String(to), stateRows.version, from === 0 ? null : String(from)] }])
}

const quoted = (text: string): string => text.replaceAll("'", "''")

/** Creates the schema, or upgrades it to this release. Any number of nodes may call it at the same time. */
export const migrate = async (options: MigrationOptions): Promise<void> => migrateBy(schemaSteps, options)
