import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import type { AmqpEndpoint, CassandraEndpoint, EngineProcess, Found, RabbitmqProcess } from '@taskledger/servers'
import { findCassandra, findRabbitmq, startCassandra, startRabbitmq } from '@taskledger/servers'
import type { Contract, Harness, Report } from '@taskledger/test-kit'
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
import {
  cassandraHarness,
  eventStoreHarness,
  nodeRegistryHarness,
  openKeyspace,
} from '../../../packages/cassandra/test/cassandra.harness.ts'
import { listingOn } from '../../../packages/cassandra/test/listing/samples.ts'
import { harnessFor } from '../../../packages/rabbitmq/test/harness.ts'
import { cassandraSide } from './cassandra-side.ts'
import { harnessOf, startPair, stopPair } from './pair.ts'
import { rabbitmqSide } from './rabbitmq-side.ts'

// Runs every contract on real servers, keeps the reports, and writes the page from all that were kept, of whatever versions.
// Servers that the environment names (CASSANDRA_CONTACT_POINTS, AMQP_URL) are used; else they are started here, and restarted:
// the Cassandra of CASSANDRA_VERSION, where that is given. Arguments name the only contracts to run: npm run compatibility -- "event store"

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
      ...(await reportOn(eventStoreContract(on(eventStoreHarness(() => keyspace))))),
      ...(await reportOn(taskListingContract(on(listing)))),
      ...(await reportOn(nodeRegistryContract(on(nodeRegistryHarness(() => keyspace))))),
    ]
  } finally {
    await keyspace[Symbol.asyncDispose]()
  }
}

/** As they stand on the page. */
const contracts = ['event store', 'task listing', 'node registry', 'work queue', 'event bus', 'task manager']
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !contracts.includes(name))
if (unknown.length > 0) throw new TypeError(`there is no contract ${unknown.join(', ')}: there are ${contracts.join(', ')}`)

/** Runs a contract, if it is wanted, and shows its report as soon as there is one. */
const reportOn = async <Port>(contract: Contract<Port>): Promise<readonly Report[]> => {
  if (wanted.length > 0 && !wanted.includes(contract.name)) return []
  const report = await runContract(contract)
  console.log(formatReport(report))
  return [report]
}

const messagingReports = async (server: Server<AmqpEndpoint>): Promise<readonly Report[]> => {
  const on = <Port>(harness: Harness<Port>): Harness<Port> => restartable(harness, harness.name, restartOf(server))
  return [
    ...(await reportOn(workQueueContract(on(harnessFor('queue', server.endpoint))))),
    ...(await reportOn(eventBusContract(on(harnessFor('bus', server.endpoint))))),
  ]
}

const systemReports = async (cassandra: CassandraEndpoint, rabbitmq: AmqpEndpoint): Promise<readonly Report[]> => {
  const pair = { storage: cassandraSide(cassandra), messaging: rabbitmqSide(rabbitmq) }
  await startPair(pair)
  try {
    return await reportOn(taskManagerContract(harnessOf(pair)))
  } finally {
    await stopPair(pair)
  }
}

const runAll = async (): Promise<readonly Report[]> => {
  const { CASSANDRA_CONTACT_POINTS, CASSANDRA_VERSION: version, AMQP_URL } = process.env
  const settings = { say, name: 'compatibility', isShortLived: true, ...(version === undefined ? {} : { version }) }
  const [cassandra, rabbitmq] = await Promise.all([
    CASSANDRA_CONTACT_POINTS === undefined ? startCassandra(settings) : findCassandra({ say }),
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

const reportsIn = async (file: string): Promise<readonly Report[]> => JSON.parse(await readFile(file, 'utf8')) as Report[]

const reports = await runAll()
await mkdir(reportsFolder, { recursive: true })
for (const [subject, ofSubject] of Map.groupBy(reports, (report) => report.subject)) {
  const file = join(reportsFolder, `${subject.replaceAll(/[ ,]+/g, '-')}.json`)
  const earlier = existsSync(file) ? await reportsIn(file) : []
  const others = earlier.filter(({ contract }) => !ofSubject.some((report) => report.contract === contract))
  await writeFile(file, `${JSON.stringify([...others, ...ofSubject.map(withoutTimes)], undefined, 2)}\n`)
}

const files = (await readdir(reportsFolder)).toSorted()
const all = await Promise.all(files.map((file) => reportsIn(join(reportsFolder, file))))
const ordered = all.flat().toSorted((one, other) => contracts.indexOf(one.contract) - contracts.indexOf(other.contract))
const head = `---
title: Compatibility
group: Reference
---

# Compatibility

What the adapters for Cassandra and RabbitMQ were seen to keep, on which version of which engine, by
[the rules](rules.md) of the conformance kit. Each engine ran as a single node, the Cassandras on Java 17. This page is written by
\`npm run compatibility\`, which starts the servers itself, and kills them where a rule wants a restart.

`
await writeFile(page, head + formatTable(ordered))
const subjects = [...new Set(reports.map(({ subject }) => subject))].join('; ')
const isWhole = reports.every(({ ok }) => ok)
console.log(`${subjects}: ${isWhole ? 'every rule that could be shown holds' : 'not every rule holds'}`)
process.exitCode = isWhole ? 0 : 1
