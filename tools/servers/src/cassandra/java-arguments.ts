import type { CassandraJars } from './jars.ts'
import type { CassandraNode } from './yaml.ts'

// From Cassandra's own jvm17-server.options.
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

/** For the memory meter of 4.1, which is made for Java 11; 5.0 has another one. */
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

/** What 4.1 needs on Java 17, which it was not made for, beyond the arguments of 5.0. */
const forOldCassandra = (jars: CassandraJars): readonly string[] =>
  jars.memoryMeter === undefined
    ? []
    : [`-javaagent:${jars.memoryMeter}`, ...measured.flatMap((name) => ['--add-opens', `${name}=ALL-UNNAMED`])]

/** A node that is alone need not listen for others before it begins. */
const alone: readonly string[] = [
  '-Dcassandra.skip_wait_for_gossip_to_settle=0',
  '-Dcassandra.gossip_settle_min_wait_ms=0',
  '-Dcassandra.ring_delay_ms=1',
  '-Dcassandra.load_ring_state=false',
]

/** A node that comes back has to know the others before it answers, which takes some seconds. */
const inRing: readonly string[] = ['-Dcassandra.consistent.rangemovement=false', '-Dcassandra.ring_delay_ms=500']

/**
 * The arguments of java. Some shorten the start from 12 s to between 4 and 6 s. `cassandra.unsafesystem` would too, but a node that is
 * killed then forgets its schema. Without a port for JMX, no port can be taken already.
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
  // The better compiler takes longer than it saves.
  ...(isShortLived ? ['-XX:TieredStopAtLevel=1'] : []),
  // Otherwise every new table flushes and compacts a dozen system tables.
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
