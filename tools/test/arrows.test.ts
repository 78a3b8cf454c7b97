import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

type Plant = readonly [folder: string, code: string]

const arrow = 'eslint(no-restricted-imports)'

/** By the rule that has to report it: code that goes against an arrow, and the folder in which it does. */
const forbidden: Readonly<Record<string, readonly Plant[]>> = {
  [arrow]: [
    ['packages/core/src/domain', "import '../ports/shared/errors.ts'"],
    ['packages/core/src/domain', "import './../ports/shared/errors.ts'"],
    ['packages/core/src/domain', "import '../index.ts'"],
    ['packages/core/src/domain', "import 'uuid'"],
    ['packages/core/src/ports', "import '../codec/index.ts'"],
    ['packages/core/src/ports', "import '../domain/../tasks/task-factory.ts'"],
    ['packages/core/src/ports/shared', "import '../event-store.ts'"],
    ['packages/core/src/codec', "import '../tasks/task-factory.ts'"],
    ['packages/core/src/tasks', "import type { Worker } from '../application/worker/worker.ts'"],
    ['packages/core/src/application', "export { virtualClock } from '../testing/index.ts'"],
    ['packages/core/src/application', "export * from '../index.ts'"],
    ['packages/core/src/application', "import '../../../memory/src/index.ts'"],
    ['packages/core/src/application', "await import('@taskledger/memory')"],
    ['packages/core/src/application', "import 'node:fs'"],
    ['packages/core/src/application', "import 'fs'"],
    ['packages/core/src/application/node', "import '../commands/outbox.ts'"],
    ['packages/core/src/application/node', "import type { Worker } from '../worker/worker.ts'"],
    ['packages/core/src/application/node', "await import('@taskledger/memory')"],
    ['packages/core/src/application/commands', "import '../queries/awaiting.ts'"],
    ['packages/core/src/application/commands', "import '../assembly.ts'"],
    ['packages/core/src/application/queries', "import '../commands/outbox.ts'"],
    ['packages/core/src/application/queries', "import 'uuid'"],
    ['packages/core/src/application/membership', "import '../recovery/janitor.ts'"],
    ['packages/core/src/application/worker', "import '../recovery/janitor.ts'"],
    ['packages/core/src/application/worker', "import '../health/probe.ts'"],
    ['packages/core/src/application/recovery', "import '../worker/worker.ts'"],
    ['packages/core/src/application/health', "import '../recovery/recovery.ts'"],
    ['packages/core/src/application/health', "import '../task-manager.ts'"],
    ['packages/core/src/testing', "import '../index.ts'"],
    ['packages/core/src/testing', "import 'vitest'"],
    ['packages/core/src', "import '@taskledger/memory'"],
    ['packages/memory/src', "import '@taskledger/core'"],
    ['packages/memory/src', "import '@taskledger/core/testing'"],
    ['packages/memory/src', "import '@taskledger/cassandra'"],
    ['packages/cassandra/src', "import '@taskledger/core'"],
    ['packages/cassandra/src', "import '@taskledger/memory'"],
    ['packages/cassandra/src/nodes', "import '../../../core/src/index.ts'"],
    ['packages/cassandra/src/nodes', "import '../listing/saves.ts'"],
    ['packages/cassandra/src', "import '../../memory/src/index.ts'"],
    ['packages/cassandra/src/connection', "import '../schema/steps.ts'"],
    ['packages/cassandra/src/connection', "import './../events/append.ts'"],
    ['packages/cassandra/src/schema', "import '../listing/saves.ts'"],
    ['packages/cassandra/src/schema', "import '@taskledger/core'"],
    ['packages/cassandra/src/events', "import '../schema/steps.ts'"],
    ['packages/cassandra/src/listing', "import type { Append } from '../events/append.ts'"],
    ['packages/cassandra/src/listing/tables', "import '../saves.ts'"],
    ['packages/cassandra/src/listing/tables', "import '../../index.ts'"],
    ['packages/rabbitmq/src', "await import('@taskledger/cassandra')"],
    ['packages/memory/src/storage', "import '../messaging/work-queue.ts'"],
    ['packages/memory/src/storage', "import '../memory.ts'"],
    ['packages/memory/src/messaging', "import '../storage/event-store.ts'"],
    ['packages/rabbitmq/src/connection', "import '../topology/names.ts'"],
    ['packages/rabbitmq/src/connection', "import './../queue/slot.ts'"],
    ['packages/rabbitmq/src/connection', "import '@taskledger/core'"],
    ['packages/rabbitmq/src/topology', "import '../queue/work-queue.ts'"],
    ['packages/rabbitmq/src/queue', "import '../bus/event-bus.ts'"],
    ['packages/rabbitmq/src/queue', "import '../index.ts'"],
    ['packages/rabbitmq/src/bus', "import '../queue/slot.ts'"],
    ['test-kit/src', "import '@taskledger/memory'"],
    ['test-kit/src/contracts', "import '@taskledger/core/codec/event-codec.ts'"],
    ['test-kit/src/contracts', "import '../../../packages/core/src/index.ts'"],
    ['test-kit/src/contracts', "import 'vitest'"],
    ['test-kit/src', "import 'node:test'"],
    ['test-kit/src/framework', "import '../reports/text.ts'"],
    ['test-kit/src/framework', "import 'node:test'"],
    ['test-kit/src/faults', "import '../contracts/traits.ts'"],
    ['test-kit/src/reports', "import '../runners/register.ts'"],
    ['test-kit/src/contracts', "import './event-bus/index.ts'"],
    ['test-kit/src/contracts', "import 'node:assert/strict'"],
    ['test-kit/src/contracts/work-queue', "import 'node:assert/strict'"],
    ['test-kit/src/contracts/task-manager/rules/tasks', "import 'node:assert/strict'"],
    ['test-kit/src/contracts/task-manager/stage', "import 'node:assert'"],
    ['test-kit/src/contracts/event-bus', "import '../task-listing/sample-details.ts'"],
    ['test-kit/src/contracts/event-bus', "import '../../reports/text.ts'"],
    ['test-kit/src/contracts/task-manager', "import '../work-queue/stage.ts'"],
    ['test-kit/src/contracts/task-manager/rules/tasks', "import '../../../../runners/register.ts'"],
    ['test-kit/src/runners', "import '../contracts/event-bus/index.ts'"],
    ['test-kit/src/runners', "import 'vitest'"],
    ['examples/planted/src', "import '@taskledger/core/src/domain/decide.ts'"],
    ['examples/planted/src', "import '../../../packages/core/src/index.ts'"],
    ['verification/integration/src', "import '@taskledger/cassandra/dist/index.js'"],
    ['verification/integration/src', "import '../../../packages/cassandra/test/cassandra.harness.ts'"],
    ['verification/integration/src', "import '@taskledger/example-reindex/job'"],
    ['verification/integration/test', "import '../../chaos/src/evidence.ts'"],
    ['verification/integration/src/engines', "import '../../../../packages/cassandra/src/index.ts'"],
    ['verification/chaos/src', "import '@taskledger/memory'"],
    ['verification/chaos/src', "import '@taskledger/core/codec'"],
    ['verification/chaos/src', "import '../../../packages/cassandra/src/index.ts'"],
    ['verification/chaos/src/verdict', "import '../environment/engines.ts'"],
    ['verification/chaos/src/verdict', "import '@taskledger/cassandra'"],
    ['verification/benchmarks/src', "import '@taskledger/memory/dist/index.js'"],
    ['verification/benchmarks/src', "import '@taskledger/test-kit'"],
    ['verification/benchmarks/src/programs', "import '../../../integration/src/pair.ts'"],
    ['verification/benchmarks/src/floors', "import '@taskledger/cassandra'"],
    ['verification/benchmarks/src/floors', "import '@taskledger/core'"],
    ['docs/planted', "import '../../test-kit/src/index.ts'"],
  ],
  'eslint(no-restricted-globals)': [
    ['packages/core/src/domain', 'export const now = Date.now()'],
    ['packages/core/src/domain', 'export const day = new Date(0)'],
    ['packages/core/src/domain', 'setTimeout(() => {}, 1)'],
    ['packages/core/src/domain', 'export const id = crypto.randomUUID()'],
    ['packages/core/src/application', 'export const now = Date.now()'],
    ['packages/core/src/application', 'export const { pid } = process'],
    ['packages/core/src/codec', "export const bytes = Buffer.from('')"],
  ],
  'eslint(no-restricted-properties)': [
    ['packages/core/src/domain', 'export const chance = Math.random()'],
    ['packages/core/src/domain', 'export const now = globalThis.Date.now()'],
    ['packages/core/src/application', 'export const bound = AbortSignal.timeout(1)'],
  ],
  'import(no-dynamic-require)': [['packages/core/src/application', "const name = '@taskledger/' + 'memory'; await import(name)"]],
  'eslint(no-console)': [['packages/core/src/domain', "console.log('here')"]],
  'typescript(consistent-type-imports)': [['packages/core/src/codec', "export type Id = import('../domain/task-id.ts').TaskId"]],
  'typescript(no-floating-promises)': [['packages/memory/src', 'const late = async (): Promise<void> => {}\nlate()']],
  'typescript(no-misused-promises)': [['packages/memory/src', '[1].forEach(async () => {})']],
  'typescript(no-explicit-any)': [['packages/memory/src', 'export const value = (given: any): unknown => given']],
}

const allowed: readonly Plant[] = [
  ['packages/core/src/domain', "import './task-id.ts'"],
  ['packages/core/src/ports', "import '../domain/task-id.ts'"],
  ['packages/core/src/codec', "import '../ports/shared/errors.ts'"],
  ['packages/core/src/tasks', "import '../codec/index.ts'"],
  ['packages/core/src/tasks', "import '@standard-schema/spec'"],
  ['packages/core/src/application', "import '../tasks/task-factory.ts'"],
  ['packages/core/src/application', "import 'uuid'"],
  ['packages/core/src/application', "import './health/health.ts'"],
  ['packages/core/src/application/node', "import '../../ports/shared/within.ts'"],
  ['packages/core/src/application/commands', "import '../node/context.ts'"],
  ['packages/core/src/application/commands', "import 'uuid'"],
  ['packages/core/src/application/queries', "import '../node/retrying.ts'"],
  ['packages/core/src/application/membership', "import '../node/lease.ts'"],
  ['packages/core/src/application/worker', "import '../commands/event-sourcing.ts'"],
  ['packages/core/src/application/worker', "import '../queries/awaiting.ts'"],
  ['packages/core/src/application/recovery', "import '../membership/node-watch.ts'"],
  ['packages/core/src/application/health', "import '../worker/attached-worker.ts'"],
  ['packages/core/src/testing', "import '../application/create-task-manager.ts'"],
  ['packages/core/src/testing', "import '../application/node/errors.ts'"],
  ['packages/core/src', "import './application/create-task-manager.ts'"],
  ['packages/memory/src', "import '@taskledger/core/ports'"],
  ['packages/memory/src/storage', "import '../gate.ts'"],
  ['packages/memory/src/messaging', "import '../copy.ts'"],
  ['packages/rabbitmq/src/connection', "import 'node:timers/promises'"],
  ['packages/rabbitmq/src/connection', "import 'amqplib'"],
  ['packages/rabbitmq/src/topology', "import '../connection/broker-connection.ts'"],
  ['packages/rabbitmq/src/queue', "import '../topology/names.ts'"],
  ['packages/rabbitmq/src/bus', "import '../connection/publisher.ts'"],
  ['packages/rabbitmq/src/bus', "import '@taskledger/core/codec'"],
  ['packages/cassandra/src/nodes', "import '@taskledger/core/codec'"],
  ['packages/cassandra/src/nodes', "import '../connection/session.ts'"],
  ['packages/cassandra/src', "import 'node:util'"],
  ['packages/cassandra/src', "import './listing/saves.ts'"],
  ['packages/cassandra/src/connection', "import 'cassandra-driver'"],
  ['packages/cassandra/src/schema', "import '../connection/session.ts'"],
  ['packages/cassandra/src/events', "import 'node:timers/promises'"],
  ['packages/cassandra/src/listing', "import './tables/facets.ts'"],
  ['packages/cassandra/src/listing/tables', "import '../../connection/session.ts'"],
  ['test-kit/src/framework', "import './rule.ts'"],
  ['test-kit/src/framework', "import 'node:timers/promises'"],
  ['test-kit/src/faults', "import '../framework/harness.ts'"],
  ['test-kit/src/reports', "import '../framework/rule.ts'"],
  ['test-kit/src/contracts', "import '../framework/rule.ts'"],
  ['test-kit/src/contracts', "import '@taskledger/core/testing'"],
  ['test-kit/src/contracts/event-bus', "import '../traits.ts'"],
  ['test-kit/src/contracts/work-queue', "import '../../framework/deadlines.ts'"],
  ['test-kit/src/contracts/task-manager', "import './rules/tasks/life.ts'"],
  ['test-kit/src/contracts/task-manager/rules/tasks', "import '../../../../faults/cluster.ts'"],
  ['test-kit/src/runners', "import '../reports/text.ts'"],
  ['test-kit/src', "import '@taskledger/core'"],
  ['test-kit/src', "import 'node:assert/strict'"],
  ['examples/planted/src', "import '@taskledger/core/ports'"],
  ['examples/planted/src', "import '@taskledger/example-reindex/program'"],
  ['verification/integration/src', "import '@taskledger/core/ports'"],
  ['verification/integration/test', "import '@taskledger/test-kit/vitest'"],
  ['verification/integration/src/engines', "import '../../../../packages/cassandra/test/cassandra.harness.ts'"],
  ['verification/integration/src/compatibility', "import '../engines/index.ts'"],
  ['verification/chaos/src', "import '@taskledger/core/testing'"],
  ['verification/chaos/src', "import '@taskledger/servers'"],
  ['verification/chaos/src/verdict', "import '../evidence/lines.ts'"],
  ['verification/chaos/src/verdict', "import '@taskledger/core/testing'"],
  ['verification/benchmarks/src', "import '@taskledger/memory'"],
  ['verification/benchmarks/src/programs', "import '../report/figures.ts'"],
  ['verification/benchmarks/src/floors', "import 'cassandra-driver'"],
  ['verification/benchmarks/src/floors', "import '../measure/pace.ts'"],
  ['docs/planted', "import '@taskledger/test-kit/vitest'"],
]

/** A workspace with nothing in it but what is planted, under the linter's own configuration. */
const root = join(import.meta.dirname, '../..')
let workspace: string
let reports: readonly { readonly filename: string; readonly code: string }[]

const plants = [...Object.values(forbidden).flat(), ...allowed]
const fileOf = (plant: Plant): string => `${plant[0]}/planted-${plants.indexOf(plant)}.ts`
const reportsOf = (file: string): readonly string[] => reports.filter(({ filename }) => filename === file).map(({ code }) => code)
const exceptions = {
  'packages/core/src/application/node/default-adapters.ts': "await import('@taskledger/memory')",
  'packages/core/src/ports/shared/clock.ts': 'export const now = Date.now()',
  'test-kit/src/runners/vitest.ts': "import 'vitest'",
}
const cycle = {
  'packages/memory/src/cycle.ts': "import './other.ts'\nexport const a = 1",
  'packages/memory/src/other.ts': "import './cycle.ts'\nexport const b = 1",
}

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'taskledger-arrows-'))
  await cp(join(root, '.oxlintrc.json'), join(workspace, '.oxlintrc.json'))
  await writeFile(
    join(workspace, 'tsconfig.json'),
    '{ "compilerOptions": { "strict": true, "module": "nodenext", "target": "es2023", "types": [] } }',
  )
  const files = [...plants.map((plant) => [fileOf(plant), plant[1]] as const), ...Object.entries(exceptions), ...Object.entries(cycle)]
  for (const [file, code] of files) {
    await mkdir(dirname(join(workspace, file)), { recursive: true })
    await writeFile(join(workspace, file), `${code}\nexport {}\n`)
  }
  const commands = join(root, 'node_modules/.bin')
  const env = { ...process.env, OXLINT_TSGOLINT_PATH: join(commands, 'tsgolint') }
  // It ends with a status that is not 0, since it finds something.
  const { stdout } = await promisify(execFile)(join(commands, 'oxlint'), ['--format', 'json'], {
    cwd: workspace,
    env,
    maxBuffer: 2 ** 26,
  }).catch((error: unknown) => error as { readonly stdout: string })
  if (!stdout.startsWith('{')) throw new Error(stdout)
  reports = (JSON.parse(stdout) as { diagnostics: typeof reports }).diagnostics
})

afterAll(() => rm(workspace, { recursive: true, force: true }))

describe.for(Object.entries(forbidden))('%s reports', ([rule, planted]) => {
  test.for(planted)('%s: %s', (plant) => {
    expect(reportsOf(fileOf(plant))).toContain(rule)
  })
})

describe('nothing of this kind is reported', () => {
  const kinds = Object.keys(forbidden)

  test.for(allowed)('%s: %s', (plant) => {
    expect(reportsOf(fileOf(plant)).filter((code) => kinds.includes(code))).toEqual([])
  })

  test.for(Object.entries(exceptions))('the exception %s: %s', ([file]) => {
    expect(reportsOf(file).filter((code) => kinds.includes(code))).toEqual([])
  })
})

test('a cycle of imports is reported', () => {
  expect(reportsOf('packages/memory/src/cycle.ts')).toContain('import(no-cycle)')
})
