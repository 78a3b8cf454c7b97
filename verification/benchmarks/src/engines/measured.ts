import { quantile } from '../figures.ts'
import type { Bench, BurstCommands } from './bench.ts'
import type { Burst } from './burst.ts'
import { processorMs } from './processor-time.ts'
import type { Child } from './rpc.ts'

/** Processes that can be asked for a burst; the last of them submits. */
export type Cluster = readonly Omit<Child<BurstCommands>, 'hear'>[]

/** What a burst came to. */
export interface Measured {
  readonly tasksPerSecond: number
  readonly submitsPerSecond: number
  /** Processor time per task, in milliseconds: what counts where others use the machine too. */
  readonly clientsMs: number
  readonly cassandraMs: number
  readonly rabbitmqMs: number
}

/** The processor time that a server has taken, where it is the run's own. */
export const serverMs = (server: { readonly pid: number } | undefined): number =>
  server === undefined ? Number.NaN : processorMs(server.pid)

export const measure = async ({ own }: Bench, cluster: Cluster, burst: Burst): Promise<Measured> => {
  const times = (): readonly [number, number, number] => [
    cluster.reduce((sum, { pid }) => sum + processorMs(pid), 0),
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

export const median = (values: readonly number[]): number => quantile(values, 0.5)

export const range = (values: readonly number[]): string => `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`

export const processorDetail = (all: readonly Measured[]): string => {
  const { clientsMs, cassandraMs, rabbitmqMs } = {
    clientsMs: median(all.map((one) => one.clientsMs)),
    cassandraMs: median(all.map((one) => one.cassandraMs)),
    rabbitmqMs: median(all.map((one) => one.rabbitmqMs)),
  }
  return `three processes ${clientsMs.toFixed(2)}, Cassandra ${cassandraMs.toFixed(2)}, RabbitMQ ${rabbitmqMs.toFixed(2)}`
}

export const processorTotal = (all: readonly Measured[]): number =>
  median(all.map(({ clientsMs, cassandraMs, rabbitmqMs }) => clientsMs + cassandraMs + rabbitmqMs))
