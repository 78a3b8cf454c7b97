import type { Burst } from '../nodes/burst.ts'
import type { Cluster, Platform } from '../platforms/platform.ts'
import { median } from '../report/figures.ts'
import { processorMs } from './processor-time.ts'

/** The result of a burst. */
export interface Measured {
  readonly tasksPerSecond: number
  readonly submitsPerSecond: number
  /** Processor time per task, in milliseconds. On a machine with other load it says more than the rate. NaN where it is not known. */
  readonly clientsMs: number
  readonly cassandraMs: number
  readonly rabbitmqMs: number
}

/** The processor time of a server that was started for the run. */
export const serverMs = (server: { readonly pid: number } | undefined): number =>
  server === undefined ? Number.NaN : processorMs(server.pid)

export const measure = async (platform: Platform, cluster: Cluster, burst: Burst): Promise<Measured> => {
  const own = platform.servers?.own
  // Nodes of one process share its id.
  const pids = new Set(cluster.map(({ pid }) => pid))
  const times = (): readonly [number, number, number] => [
    [...pids].reduce((sum, pid) => sum + processorMs(pid), 0),
    serverMs(own?.cassandra),
    serverMs(own?.rabbitmq),
  ]
  const before = times()
  const { submittedMs, endedMs } = (await cluster.at(-1)?.call('burst', burst)) ?? { submittedMs: Number.NaN, endedMs: Number.NaN }
  const after = times()
  const perTask = (index: 0 | 1 | 2): number => (after[index] - before[index]) / burst.count
  return {
    tasksPerSecond: (burst.count / endedMs) * 1_000,
    submitsPerSecond: (burst.count / submittedMs) * 1_000,
    clientsMs: perTask(0),
    cassandraMs: perTask(1),
    rabbitmqMs: perTask(2),
  }
}

export const processorDetail = (platform: Platform, all: readonly Measured[]): string => {
  const of = (part: 'clientsMs' | 'cassandraMs' | 'rabbitmqMs'): string => median(all.map((one) => one[part])).toFixed(2)
  if (platform.name === 'memory') return 'one process'
  return `three processes ${of('clientsMs')}, Cassandra ${of('cassandraMs')}, RabbitMQ ${of('rabbitmqMs')}`
}

export const processorTotal = (platform: Platform, all: readonly Measured[]): number =>
  median(
    all.map(({ clientsMs, cassandraMs, rabbitmqMs }) => (platform.name === 'memory' ? clientsMs : clientsMs + cassandraMs + rabbitmqMs)),
  )
