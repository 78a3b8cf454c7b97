import { freshKeyspaceName } from '@taskledger/servers'
import { afterAll, expect, inject, test } from 'vitest'
import { migrate, migrateBy } from '../../src/schema/migrate.ts'
import { schemaSteps } from '../../src/schema/steps.ts'
import type { SchemaStep } from '../../src/schema/steps.ts'
import { openSession } from '../../src/schema/open-session.ts'
import { addressOf, oneReplica, runPlainly } from '../cassandra.harness.ts'

const endpoint = inject('servers').cassandra
const keyspaces: string[] = []
const freshOptions = () => {
  const keyspace = freshKeyspaceName()
  keyspaces.push(keyspace)
  return { ...addressOf(endpoint), keyspace, replication: oneReplica }
}
afterAll(async () => {
  await runPlainly(
    endpoint,
    keyspaces.map((keyspace) => [`DROP KEYSPACE IF EXISTS "${keyspace}"`] as const),
  )
})

const messages: string[] = []
const logger = { debug() {}, info: (_fields: object, message: string) => void messages.push(message), warn() {}, error() {} }

test('ten nodes create the schema at the same time: one does it, all find it, and a second migration changes nothing', async () => {
  const options = { ...freshOptions(), logger }
  await Promise.all(Array.from({ length: 10 }, () => migrate(options)))
  await migrate(options)
  expect(messages).toEqual(['upgraded the schema'])
  const session = await openSession(options)
  await session.close()
})

const nextStep: SchemaStep = {
  tables: [{ name: 'task_extra', definition: '(id text PRIMARY KEY) WITH gc_grace_seconds = 1' }],
  changes: ['ALTER TABLE %keyspace%.task_node ADD IF NOT EXISTS zone text'],
  settings: { extra: 'yes', list_bucket_ms: '1' },
}

test('a migration upgrades the schema step by step and keeps its settings, and an older release refuses the schema', async () => {
  const options = freshOptions()
  await migrate(options)
  const rowsBefore = await state(options.keyspace)
  await Promise.all([1, 2, 3].map(() => migrateBy([...schemaSteps, nextStep], options)))
  const rows = await state(options.keyspace)
  expect(rows).toEqual({ ...rowsBefore, version: '2', extra: 'yes' })
  await runPlainly(endpoint, [[`SELECT zone FROM "${options.keyspace}".task_node`], [`SELECT id FROM "${options.keyspace}".task_extra`]])

  const newer = { code: 'MISCONFIGURED', message: expect.stringMatching(/at version 2.*newer release/) as string }
  await expect(openSession(options)).rejects.toMatchObject(newer)
  await expect(migrate(options)).rejects.toMatchObject(newer)
})

test('the next migration finishes a step that a node left half done', async () => {
  const options = freshOptions()
  const broken: SchemaStep = { tables: [{ name: 'task_extra', definition: '(id text PRIMARY KEY) WITH' }], settings: {} }
  const [first] = schemaSteps
  if (first === undefined) throw new Error('the schema has no step')
  await expect(migrateBy([{ ...first, tables: [...first.tables, ...broken.tables] }], options)).rejects.toMatchObject({
    code: 'MISCONFIGURED',
  })
  await migrate(options)
  const session = await openSession(options)
  await session.close()
})

test('without replication the keyspace has to exist', async () => {
  const { replication: _replication, ...options } = freshOptions()
  await expect(migrate(options)).rejects.toMatchObject({
    code: 'MISCONFIGURED',
    message: expect.stringContaining(options.keyspace) as string,
  })
})

const state = async (keyspace: string): Promise<Readonly<Record<string, string>>> => {
  const [rows = []] = await runPlainly(endpoint, [[`SELECT name, value FROM "${keyspace}".task_schema`]])
  return Object.fromEntries(rows.map((row) => [String(row['name']), String(row['value'])]))
}
