import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { askCassandra } from './ask-cassandra.ts'
import { javaArgumentsOf, logbackXml, yamlOf } from './cassandra-config.ts'
import type { CassandraNode, CommitlogSync } from './cassandra-config.ts'
import { cassandraJars, defaultCassandraVersion } from './cassandra-jars.ts'
import { findJava17 } from './java.ts'
import { OwnProcess } from './own-process.ts'
import { freePort } from './ports.ts'
import { openDataFolder, removeDataFolder } from './project-folder.ts'
import type { CassandraEndpoint, EngineProcess, Say } from './types.ts'

/** Where a node stands in a ring: all have the same two ports, each has an address of its own. */
export interface RingPlace {
  readonly address: string
  /** The address of the node that is started first. */
  readonly seed: string
  readonly token: bigint
  readonly nativePort: number
  readonly storagePort: number
}

export interface StartCassandraOptions {
  readonly say: Say
  /** What it is for, in a word: part of the name of its folder. */
  readonly name: string
  /** Default `batch`: what was acknowledged survives a SIGKILL. Where nobody kills it, `periodic`. */
  readonly commitlogSync?: CommitlogSync
  /** As java takes it. Default `512m`. */
  readonly heap?: string
  /**
   * Whether it lives for minutes only, as in a test. It then takes half the processor time for that long, and is slower than
   * others once they are warm. Default false.
   */
  readonly isShortLived?: boolean
  /** Whether nobody kills it, so that nothing has to be on disk before it is acknowledged: no write, and no definition. Default false. */
  readonly isNeverKilled?: boolean
  /** Where it listens on 127.0.0.1. Default: a free port. */
  readonly port?: number
  /** Where it stands in a ring. Default: it is alone, on 127.0.0.1. */
  readonly ring?: RingPlace
  /** As Maven knows it, 4.1 or later. Default: `5.0.8`. */
  readonly version?: string
  /** Whether it asks for a password, and grants nothing unasked. Default false. The endpoint has the superuser's credentials. */
  readonly authentication?: boolean
}

/** Whom a new Cassandra that asks for passwords lets in. */
const superuser = { username: 'cassandra', password: 'cassandra' } as const

/**
 * Starts a Cassandra of one node, or one node of a ring, empty, with data of its own that go when it is stopped. Some 6 s; the first one ever
 * is fetched before. It ends with this process, however that ends.
 *
 * @throws {@link ServerNotAvailable} where Java 17 or Maven is missing, or nothing can be fetched.
 */
export const startCassandra = async (options: StartCassandraOptions): Promise<EngineProcess<CassandraEndpoint>> => {
  const {
    say,
    name,
    heap = '512m',
    version = defaultCassandraVersion,
    authentication = false,
    isShortLived = false,
    isNeverKilled = false,
    commitlogSync = isNeverKilled ? 'periodic' : 'batch',
  } = options
  const javaHome = await findJava17()
  const jars = await cassandraJars(version, javaHome, say)
  const folder = await openDataFolder(`cassandra-${name}`)
  const place = options.ring ?? {
    address: '127.0.0.1',
    seed: '127.0.0.1',
    token: 0n,
    nativePort: options.port ?? (await freePort()),
    storagePort: await freePort(),
  }
  const node: CassandraNode = {
    ...place,
    folder,
    isInRing: options.ring !== undefined,
    commitlogSync,
    heap,
    isShortLived,
    isNeverKilled,
    authentication,
  }
  await mkdir(join(folder, 'tmp'))
  await writeFile(join(folder, 'cassandra.yaml'), yamlOf(node))
  await writeFile(join(folder, 'logback.xml'), logbackXml)

  const endpoint: CassandraEndpoint = {
    contactPoints: [`${node.address}:${node.nativePort}`],
    localDataCenter: 'datacenter1',
    version,
    ...(authentication ? { credentials: superuser } : {}),
  }
  const server = new OwnProcess({
    what: 'Cassandra',
    command: join(javaHome, 'bin/java'),
    args: javaArgumentsOf(node, jars),
    // One arena for each thread would add hundreds of megabytes.
    env: { ...process.env, MALLOC_ARENA_MAX: '2' },
    cwd: folder,
    logFile: join(folder, 'output.log'),
    ask: () => askCassandra(endpoint, 5_000),
    // On a machine that is busy with other things.
    startTimeoutMs: 180_000,
  })
  const stop = async (): Promise<void> => {
    await server.kill()
    await removeDataFolder(folder)
  }
  const startedAt = performance.now()
  say(`Starting Cassandra ${version} on ${node.address}:${node.nativePort}, some 6 s`)
  try {
    await server.start()
  } catch (error) {
    await stop()
    throw error
  }
  say(`Cassandra answers after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  return {
    endpoint,
    origin: 'started',
    get pid() {
      return server.pid
    },
    kill: () => server.kill(),
    start: () => server.start(),
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    stop,
  }
}
