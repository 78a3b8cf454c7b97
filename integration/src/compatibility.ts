import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import type { CassandraEndpoint, EngineProcess, Found } from '@taskledger/servers'
import { findCassandra, findRabbitmq, startCassandra, startRabbitmq } from '@taskledger/servers'
import type { Harness, Report } from '@taskledger/test-kit'
import {
  eventBusContract,
  eventStoreContract,
  formatReport,
  formatTable,
  nodeRegistryContract,
  runContract,
  taskListingContract,
  taskManagerContract,
  workQueueContract,
} from '@taskledger/test-kit'
import { cassandraHarness, eventStoreHarness, nodeRegistryHarness, openKeyspace } from '../../packages/cassandra/test/cassandra.harness.ts'
import { defaultListBucketMs } from '../../packages/cassandra/src/listing-buckets.ts'
import { CassandraTaskListing } from '../../packages/cassandra/src/task-listing.ts'
import { harnessFor } from '../../packages/rabbitmq/test/harness.ts'
import { cassandraSide } from './cassandra-side.ts'
import { harnessOf, startPair, stopPair } from './pair.ts'
import { rabbitmqSide } from './rabbitmq-side.ts'

// Runs every contract on real servers, keeps the reports, and writes the page from all that were kept, of whatever versions.
// Servers that the environment names (CASSANDRA_CONTACT_POINTS, AMQP_URL) are used; else they are started here, and restarted.

const reportsFolder = join(import.meta.dirname, '../compatibility')
const page = join(import.meta.dirname, '../../docs/compatibility.md')

const say = (line: string): void => console.error(line)

type Server<Endpoint> = Found<Endpoint> | EngineProcess<Endpoint>

const restartOf = <Endpoint>(server: Server<Endpoint>): (() => Promise<void>) | undefined =>
  'kill' in server
    ? async () => {
        await server.kill()
        await server.start()
      }
    : undefined

const restartable = <Port>(harness: Harness<Port>, name: string, restart: (() => Promise<void>) | undefined): Harness<Port> => ({
  ...harness,
  name,
  // Servers start slowly where they share a machine with everything else.
  timing: { ...harness.timing, deadlineMs: 60_000 },
  open: async (options) => {
    const subject = await harness.open(options)
    return restart === undefined ? subject : { ...subject, faults: { ...subject.faults, restart } }
  },
})

const storageReports = async (server: Server<CassandraEndpoint>): Promise<readonly Report[]> => {
  const keyspace = await openKeyspace(server.endpoint)
  const on = <Port>(harness: Harness<Port>): Harness<Port> =>
    restartable(harness, `cassandra ${server.endpoint.version}`, restartOf(server))
  const listing = cassandraHarness(
    () => keyspace,
    (session) =>
      new CassandraTaskListing({ session, lease: session.lease('the task listing'), bucketMs: defaultListBucketMs, finishedRowsTtlMs: 0 }),
  )
  try {
    return [
      await told(runContract(eventStoreContract(on(eventStoreHarness(() => keyspace))))),
      await told(runContract(taskListingContract(on(listing)))),
      await told(runContract(nodeRegistryContract(on(nodeRegistryHarness(() => keyspace))))),
    ]
  } finally {
    await keyspace[Symbol.asyncDispose]()
  }
}

const told = async (running: Promise<Report>): Promise<Report> => {
  const report = await running
  console.log(formatReport(report))
  return report
}

/** The reports of one run, and what they are called. */
const runAll = async (): Promise<{ readonly name: string; readonly reports: readonly Report[] }> => {
  const { CASSANDRA_CONTACT_POINTS, AMQP_URL } = process.env
  const [cassandra, rabbitmq] = await Promise.all([
    CASSANDRA_CONTACT_POINTS === undefined ? startCassandra({ say, name: 'compatibility' }) : findCassandra({ say }),
    AMQP_URL === undefined ? startRabbitmq({ say, name: 'compatibility' }) : findRabbitmq({ say }),
  ])
  const names = [`cassandra ${cassandra.endpoint.version}`, `rabbitmq ${rabbitmq.endpoint.version}`]
  const pair = { storage: cassandraSide(cassandra.endpoint), messaging: rabbitmqSide(rabbitmq.endpoint) }
  try {
    const [, broker = ''] = names
    await startPair(pair)
    const whole = await told(runContract(taskManagerContract(harnessOf(pair))))
    await stopPair(pair)
    const queue = restartable(harnessFor('queue', rabbitmq.endpoint), broker, restartOf(rabbitmq))
    const bus = restartable(harnessFor('bus', rabbitmq.endpoint), broker, restartOf(rabbitmq))
    const reports = [
      ...(await storageReports(cassandra)),
      await told(runContract(workQueueContract(queue))),
      await told(runContract(eventBusContract(bus))),
      whole,
    ]
    return { name: names.join(', '), reports }
  } finally {
    await Promise.all([cassandra.stop(), rabbitmq.stop()])
  }
}

const { name, reports } = await runAll()
await mkdir(reportsFolder, { recursive: true })
// How long a rule took here is nobody's business elsewhere.
const kept = reports.map((report) => ({ ...report, results: report.results.map((result) => ({ ...result, ms: 0 })) }))
await writeFile(join(reportsFolder, `${name.replaceAll(/[ ,]+/g, '-')}.json`), `${JSON.stringify(kept, undefined, 2)}\n`)

const files = (await readdir(reportsFolder)).sort()
const all = await Promise.all(files.map(async (file) => JSON.parse(await readFile(join(reportsFolder, file), 'utf8')) as Report[]))
const head = `---
title: Compatibility
group: Reference
---

# Compatibility

What the adapters for Cassandra and RabbitMQ were seen to keep, on which version of which engine, by
[the rules](rules.md) of the conformance kit. This page is written by \`npm run compatibility\`.

`
await writeFile(page, head + formatTable(all.flat()))
const isWhole = reports.every(({ ok }) => ok)
console.log(`${name}: ${isWhole ? 'every rule that could be shown holds' : 'not every rule holds'}`)
process.exitCode = isWhole ? 0 : 1
