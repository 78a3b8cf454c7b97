/**
 * When an acknowledged write is on disk. `batch`: always; `group`: always, a window of writes together; `periodic`, as
 * Cassandra is shipped: up to 10 s later, and a SIGKILL loses the last tenth of a second.
 */
export type CommitlogSync = 'batch' | 'group' | 'periodic'

/** One node: alone, or in a ring whose nodes have an address each and the same ports. */
export interface CassandraNode {
  readonly folder: string
  readonly address: string
  readonly nativePort: number
  readonly storagePort: number
  /** The address of the seed node: its own where it is alone. */
  readonly seed: string
  readonly isInRing: boolean
  readonly token: bigint
  readonly commitlogSync: CommitlogSync
  readonly heap: string
  /** Whether it only lives for minutes. */
  readonly isShortLived: boolean
  /** Whether it is never killed, only stopped. */
  readonly isNeverKilled: boolean
  /** Whether clients have to log in and need permissions. */
  readonly authentication: boolean
  /** Whether clients may connect with TLS. */
  readonly hasTls: boolean
}

/** The names of the files with its certificate and key, and with the authority of its clients. */
export const tlsFiles = { own: 'tls-own.pem', authority: 'tls-authority.pem' } as const

const commitlog: Readonly<Record<CommitlogSync, string>> = {
  batch: 'commitlog_sync: batch',
  group: 'commitlog_sync: group\ncommitlog_sync_group_window: 2ms',
  periodic: 'commitlog_sync: periodic\ncommitlog_sync_period: 10s',
}

/** Permissions are not cached: a test that grants one need not wait. */
const authentication = `\
authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
role_manager: CassandraRoleManager
permissions_validity: 0ms
roles_validity: 0ms
`

/** Fewer handovers between threads: at least a fifth less processor time, in one run of each on a busy machine of 2 cores. */
const fewThreads = `\
concurrent_reads: 8
concurrent_writes: 8
native_transport_max_threads: 16
`

/** Clients may connect with and without TLS, at the same port. */
const clientTls = (folder: string): string => `\
client_encryption_options:
  enabled: true
  optional: true
  require_client_auth: true
  ssl_context_factory:
    class_name: org.apache.cassandra.security.PEMBasedSslContextFactory
  keystore: ${folder}/${tlsFiles.own}
  truststore: ${folder}/${tlsFiles.authority}
`

/** cassandra.yaml, for 4.1 and 5.0. Paxos v2 was faster in every measurement, and is not the default. */
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
${node.isShortLived ? fewThreads : ''}${node.authentication ? authentication : ''}${node.hasTls ? clientTls(folder) : ''}`
}

/** Without this file Cassandra logs everything. */
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
