import type { Clusters } from './measure/clusters.ts'
import type { Platform, Servers } from './platforms/platform.ts'
import type { Figure } from './report/figures.ts'

/** What a program measures with. */
export interface Bench {
  readonly platform: Platform
  /** How much of everything: 1 is the usual amount. */
  readonly scale: number
  /** How long an outage lasts, in milliseconds. */
  readonly outageMs: number
  /** The processes that throughput is measured with. The first call starts them. */
  readonly clusters: () => Promise<Clusters>
}

/** A program runs alone, in bounded time. */
export interface Program {
  readonly about: string
  /** The platforms that it can measure. */
  readonly on: readonly Platform['name'][]
  /** Whether it takes minutes, and therefore only runs if it is named. Default false. */
  readonly isLong?: boolean
  /** The bound of a run, in milliseconds. Default 300,000. */
  readonly maxMs?: number
  run(bench: Bench): Promise<readonly Figure[]>
}

/** The servers of a program that only runs on servers. */
export const serversOf = ({ platform }: Bench): Servers => {
  if (platform.servers === undefined) throw new TypeError('this program needs servers: run pnpm bench:engines')
  return platform.servers
}

/** An aim for servers: the memory adapters have none. */
export const aimOnServers = ({ platform }: Bench, aim: string): { readonly aim?: string } => (platform.name === 'servers' ? { aim } : {})
