import type { CassandraJars } from './cassandra-jars.ts'

/**
 * When an acknowledged write is on disk. `batch`: always; `group`: always, a window of writes together; `periodic`, as
 * Cassandra is shipped: up to 10 s later, and a SIGKILL loses the last tenth of a second.
 */
export type CommitlogSync = 'batch' | 'group' | 'periodic'

/** One node: of a cluster of its own, or of a ring whose nodes have an address each and the same ports. */
export interface CassandraNode {
  readonly folder: string
  readonly address: string
  readonly nativePort: number
  readonly storagePort: number
  /** The address of the node that the others ask first: its own where it is alone. */
  readonly seed: string
  /** Whether there are others. */
  readonly isInRing: boolean
  /** Where on the ring it begins. */
  readonly token: bigint
  readonly commitlogSync: CommitlogSync
  readonly heap: string
  /** Whether it lives for minutes only. */
  readonly isShortLived: boolean
  /** Whether it ends in order only, if at all. */
  readonly isNeverKilled: boolean
  /** Whether it asks who somebody is, and what they may do. */
  readonly authentication: boolean
}

const commitlog: Readonly<Record<CommitlogSync, string>> = {
  batch: 'commitlog_sync: batch',
  group: 'commitlog_sync: group\ncommitlog_sync_group_window: 2ms',
  periodic: 'commitlog_sync: periodic\ncommitlog_sync_period: 10s',
}

/** What a role was granted is asked for again each time: a test that grants waits for nothing. */
const authentication = `\
authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
role_manager: CassandraRoleManager
permissions_validity: 0ms
roles_validity: 0ms
`

/** Less work is handed from thread to thread: a fifth less processor time at least, in one run of each on a busy machine of 2 cores. */
const fewThreads = `\
concurrent_reads: 8
concurrent_writes: 8
native_transport_max_threads: 16
`

/**
 * cassandra.yaml, as 4.1 and 5.0 understand it. Paxos v2, which is faster in all that was measured, has to be asked for.
 */
export const yamlOf = (node: CassandraNode): string => {
  const { folder, address, nativePort, storagePort, seed, token, commitlogSync } = node
  return `\
cluster_name: taskledger
num_tokens: 1
initial_token: ${token}
auto_bootstrap: false
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "${seed}:${storagePort}"
listen_address: ${address}
rpc_address: ${address}
native_transport_port: ${nativePort}
storage_port: ${storagePort}
data_file_directories: ["${folder}/data"]
commitlog_directory: ${folder}/commitlog
hints_directory: ${folder}/hints
saved_caches_directory: ${folder}/saved_caches
cdc_raw_directory: ${folder}/cdc_raw
${commitlog[commitlogSync]}
commitlog_segment_size: 16MiB
commitlog_total_space: 256MiB
memtable_heap_space: 96MiB
memtable_offheap_space: 96MiB
memtable_flush_writers: 1
concurrent_compactors: 1
file_cache_size: 32MiB
key_cache_size: 0MiB
counter_cache_size: 0MiB
auto_snapshot: false
hinted_handoff_enabled: ${node.isInRing}
paxos_variant: v2
${node.isShortLived ? fewThreads : ''}${node.authentication ? authentication : ''}`
}

/** Without it Cassandra writes all that it does to its output. */
export const logbackXml = `\
<configuration>
  <statusListener class="ch.qos.logback.core.status.NopStatusListener"/>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level %d{HH:mm:ss.SSS} [%thread] %logger{20} %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="out"/></root>
  <logger name="io.netty" level="WARN"/>
</configuration>
`

// Those of Cassandra's own jvm17-server.options.
const exported = [
  'java.base/java.lang.ref',
  'java.base/jdk.internal.misc',
  'java.management.rmi/com.sun.jmx.remote.internal.rmi',
  'java.rmi/sun.rmi.registry',
  'java.rmi/sun.rmi.server',
  'java.sql/java.sql',
  'jdk.attach/sun.tools.attach',
  'jdk.unsupported/sun.misc',
]
const opened = [
  'java.base/java.io',
  'java.base/java.lang',
  'java.base/java.lang.module',
  'java.base/java.lang.reflect',
  'java.base/java.nio',
  'java.base/java.util',
  'java.base/jdk.internal.loader',
  'java.base/jdk.internal.math',
  'java.base/jdk.internal.module',
  'java.base/jdk.internal.ref',
  'java.base/jdk.internal.reflect',
  'java.base/jdk.internal.util.jar',
  'java.base/sun.nio.ch',
  'jdk.management/com.sun.management.internal',
]

/** What the meter that 4.1 measures its memory with looks into. It is made for Java 11; in 5.0 it was replaced. */
const measured = [
  'java.base/java.lang.invoke',
  'java.base/java.lang.ref',
  'java.base/java.math',
  'java.base/java.net',
  'java.base/java.nio.charset',
  'java.base/java.nio.file',
  'java.base/java.security',
  'java.base/java.text',
  'java.base/java.time',
  'java.base/java.util.concurrent',
  'java.base/java.util.concurrent.atomic',
  'java.base/java.util.concurrent.locks',
  'java.base/java.util.function',
  'java.base/java.util.regex',
  'java.base/sun.nio.cs',
  'java.base/sun.nio.fs',
]

/** 4.1 on Java 17, which it was not made for: all that it needs beyond what 5.0 does. */
const forOldCassandra = (jars: CassandraJars): readonly string[] =>
  jars.memoryMeter === undefined
    ? []
    : [`-javaagent:${jars.memoryMeter}`, ...measured.flatMap((name) => ['--add-opens', `${name}=ALL-UNNAMED`])]

/** Whoever is alone has nobody to listen to before it begins. */
const alone: readonly string[] = [
  '-Dcassandra.skip_wait_for_gossip_to_settle=0',
  '-Dcassandra.gossip_settle_min_wait_ms=0',
  '-Dcassandra.ring_delay_ms=1',
  '-Dcassandra.load_ring_state=false',
]

/** A node that comes back has to know the others before it answers: so it takes some seconds longer. */
const inRing: readonly string[] = ['-Dcassandra.consistent.rangemovement=false', '-Dcassandra.ring_delay_ms=500']

/**
 * The arguments of java. Some make the start short (4 to 6 s for 12). None of them is `cassandra.unsafesystem`, which would: a node
 * that is killed then forgets its schema. No port for JMX is given, so that there is none that could be taken.
 */
export const javaArgumentsOf = (
  { folder, heap, isShortLived, isNeverKilled, isInRing }: CassandraNode,
  jars: CassandraJars,
): readonly string[] => [
  `-Xms${heap}`,
  `-Xmx${heap}`,
  '-Xss384k',
  '-XX:+UseSerialGC',
  '-XX:-UsePerfData',
  '-XX:+ExitOnOutOfMemoryError',
  // Compiling well takes longer than it saves.
  ...(isShortLived ? ['-XX:TieredStopAtLevel=1'] : []),
  // Otherwise every new table writes, and merges, the files of a dozen system tables.
  ...(isNeverKilled ? ['-Dcassandra.test.flush_local_schema_changes=false'] : []),
  `-Dcassandra.config=file://${folder}/cassandra.yaml`,
  `-Dcassandra.storagedir=${folder}`,
  `-Dcassandra.logdir=${folder}`,
  `-Dlogback.configurationFile=file://${folder}/logback.xml`,
  '-Dcassandra-foreground=yes',
  ...(isInRing ? inRing : alone),
  '-Dcassandra.superuser_setup_delay_ms=0',
  '-Djdk.attach.allowAttachSelf=true',
  '-Dio.netty.tryReflectionSetAccessible=true',
  '-Djava.security.manager=allow',
  '-Djna.nosys=true',
  `-Djava.io.tmpdir=${folder}/tmp`,
  ...exported.flatMap((name) => ['--add-exports', `${name}=ALL-UNNAMED`]),
  ...opened.flatMap((name) => ['--add-opens', `${name}=ALL-UNNAMED`]),
  ...forOldCassandra(jars),
  '-cp',
  `${jars.folder}/*`,
  'org.apache.cassandra.service.CassandraDaemon',
]
