import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import type { AmqpEndpoint, CassandraEndpoint, EngineProcess, Found, RabbitmqProcess } from '@taskledger/servers'
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
import { listingOn } from '../../packages/cassandra/test/listing-samples.ts'
import { harnessFor } from '../../packages/rabbitmq/test/harness.ts'
import { cassandraSide } from './cassandra-side.ts'
import { harnessOf, startPair, stopPair } from './pair.ts'
import { rabbitmqSide } from './rabbitmq-side.ts'

// Runs every contract on real servers, keeps the reports, and writes the page from all that were kept, of whatever versions.
// Servers that the environment names (CASSANDRA_CONTACT_POINTS, AMQP_URL) are used; else they are started here, and restarted:
// the Cassandra of CASSANDRA_VERSION, where that is given.

const reportsFolder = join(import.meta.dirname, '../compatibility')
const page = join(import.meta.dirname, '../../docs/compatibility.md')

const say = (line: string): void => console.error(line)

type Server<Endpoint> = Found<Endpoint> | EngineProcess<Endpoint>

const restartOf = <Endpoint>(server: Server<Endpoint>): (() => Promise<void>) | undefined =>
  'kill' in server
    ? async () => {
        if (hasLateWrites(server)) await server.flush()
        await server.kill()
        await server.start()
      }
    : undefined

/** A RabbitMQ notes a new queue a while after it was declared. */
const hasLateWrites = (server: object): server is RabbitmqProcess => 'flush' in server

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
  // None of its rules loses answers, and many of them ask for much.
  const listing = cassandraHarness(() => keyspace, listingOn, undefined, undefined, 8_000)
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

/** Shows a report as soon as there is one. */
const told = async (running: Promise<Report>): Promise<Report> => {
  const report = await running
  console.log(formatReport(report))
  return report
}

const messagingReports = async (server: Server<AmqpEndpoint>): Promise<readonly Report[]> => {
  const on = <Port>(harness: Harness<Port>): Harness<Port> => restartable(harness, harness.name, restartOf(server))
  return [
    await told(runContract(workQueueContract(on(harnessFor('queue', server.endpoint))))),
    await told(runContract(eventBusContract(on(harnessFor('bus', server.endpoint))))),
  ]
}

const systemReports = async (cassandra: CassandraEndpoint, rabbitmq: AmqpEndpoint): Promise<readonly Report[]> => {
  const pair = { storage: cassandraSide(cassandra), messaging: rabbitmqSide(rabbitmq) }
  await startPair(pair)
  try {
    return [await told(runContract(taskManagerContract(harnessOf(pair))))]
  } finally {
    await stopPair(pair)
  }
}

const runAll = async (): Promise<readonly Report[]> => {
  const { CASSANDRA_CONTACT_POINTS, CASSANDRA_VERSION: version, AMQP_URL } = process.env
  const wanted = { say, name: 'compatibility', isShortLived: true, ...(version === undefined ? {} : { version }) }
  const [cassandra, rabbitmq] = await Promise.all([
    CASSANDRA_CONTACT_POINTS === undefined ? startCassandra(wanted) : findCassandra({ say }),
    AMQP_URL === undefined ? startRabbitmq({ say, name: 'compatibility' }) : findRabbitmq({ say }),
  ])
  try {
    const whole = await systemReports(cassandra.endpoint, rabbitmq.endpoint)
    return [...(await storageReports(cassandra)), ...(await messagingReports(rabbitmq)), ...whole]
  } finally {
    await Promise.all([cassandra.stop(), rabbitmq.stop()])
  }
}

// How long a rule took here is nobody's business elsewhere.
const withoutTimes = (report: Report): Report => ({ ...report, results: report.results.map((result) => ({ ...result, ms: 0 })) })

const reports = await runAll()
await mkdir(reportsFolder, { recursive: true })
for (const [subject, ofSubject] of Map.groupBy(reports, (report) => report.subject)) {
  const file = join(reportsFolder, `${subject.replaceAll(/[ ,]+/g, '-')}.json`)
  await writeFile(file, `${JSON.stringify(ofSubject.map(withoutTimes), undefined, 2)}\n`)
}

const files = (await readdir(reportsFolder)).toSorted()
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
const subjects = [...new Set(reports.map(({ subject }) => subject))].join('; ')
const isWhole = reports.every(({ ok }) => ok)
console.log(`${subjects}: ${isWhole ? 'every rule that could be shown holds' : 'not every rule holds'}`)
process.exitCode = isWhole ? 0 : 1
