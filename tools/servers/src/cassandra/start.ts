import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import type { EngineProcess, Say } from '../engine.ts'
import { openDataFolder } from '../process/data-folder.ts'
import { OwnProcess } from '../process/own-process.ts'
import { freePort } from '../process/ports.ts'
import { startEngine } from '../process/start-engine.ts'
import type { ServerTls } from '../tls/authority.ts'
import type { CassandraEndpoint } from './endpoint.ts'
import { cassandraJars, defaultCassandraVersion } from './jars.ts'
import { javaArgumentsOf } from './java-arguments.ts'
import { findJava17 } from './java.ts'
import { probeCassandra } from './probe.ts'
import type { CassandraNode, CommitlogSync } from './yaml.ts'
import { logbackXml, tlsFiles, yamlOf } from './yaml.ts'

/** The place of a node in a ring: all nodes have the same two ports, each has an address of its own. */
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
  /** What the server is for, in a word: part of the name of its folder. */
  readonly name: string
  /** Default: `batch`, so that an acknowledged write survives a SIGKILL; `periodic` where `isNeverKilled`. */
  readonly commitlogSync?: CommitlogSync
  /** As java takes it. Default `512m`. */
  readonly heap?: string
  /**
   * Whether it only lives for minutes, as in a test. It then takes half the processor time, and stays slower than a server that is
   * warm. Default false.
   */
  readonly isShortLived?: boolean
  /** Whether it is never killed, so that neither writes nor the schema have to be on disk when they are acknowledged. Default false. */
  readonly isNeverKilled?: boolean
  /** The port on 127.0.0.1. Default: a free one. */
  readonly port?: number
  /** Its place in a ring. Default: it is alone, on 127.0.0.1. */
  readonly ring?: RingPlace
  /** The version in Maven Central, 4.1 or later. Default: `5.0.8`. */
  readonly version?: string
  /** Whether clients have to log in and need permissions. Default false. The endpoint has the superuser's credentials. */
  readonly authentication?: boolean
  /** Lets clients connect with TLS as well, at the same port. They then need a certificate of their own. */
  readonly tls?: ServerTls
}

/** The user of a new Cassandra that asks for passwords. */
const superuser = { username: 'cassandra', password: 'cassandra' } as const

/** What this machine needs to start a Cassandra: Java, and the jars, which it fetches once. */
export const prepareCassandra = async (
  version: string,
  say: Say,
): Promise<{ readonly javaHome: string; readonly jars: Awaited<ReturnType<typeof cassandraJars>> }> => {
  const javaHome = await findJava17()
  return { javaHome, jars: await cassandraJars(version, javaHome, say) }
}

/**
 * Starts an empty Cassandra of one node, or one node of a ring, in some 6 s; the first start also fetches it. Its data go when it stops. It
 * ends with this process, however that ends.
 *
 * @throws {@link ServerNotAvailable} where Java 17 or Maven is missing, or Cassandra cannot be fetched.
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
  const { javaHome, jars } = await prepareCassandra(version, say)
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
    hasTls: options.tls !== undefined,
  }
  await mkdir(join(folder, 'tmp'))
  if (options.tls !== undefined) {
    const { key, cert, ca } = options.tls
    await writeFile(join(folder, tlsFiles.own), key + cert)
    await writeFile(join(folder, tlsFiles.authority), ca)
  }
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
    probe: () => probeCassandra(endpoint, 5_000),
    // On a machine that is busy with other things.
    startTimeoutMs: 180_000,
  })
  return startEngine({
    say,
    title: `Cassandra ${version} on ${node.address}:${node.nativePort}`,
    usualSeconds: 6,
    processes: [server],
    folder,
    endpoint: async () => endpoint,
  })
}
