import { endAll } from '../nodes/child.ts'
import { freshPrefix } from '../nodes/prefix.ts'
import type { Cluster, Platform } from '../platforms/platform.ts'
import { measure } from './measured.ts'

/** How many tasks a worker runs at a time. */
export const slots = 64

/** How many submitters there are, in one process. */
export const submitters = 64

/** Two workers, and a node that submits. */
export const nodes = { 'worker-1': slots, 'worker-2': slots, submitter: 0 }

const tasksOfRound = 3_000

/**
 * A process is compiled while it runs: from the first thousand tasks to the fifty thousandth, the processor time of a task in the three
 * processes fell from 1.5 to 0.75 ms. After this many rounds little is left to compile.
 */
const warmRounds = 14

interface ClustersOptions {
  readonly platform: Platform
  readonly scale: number
}

/** The processes that throughput is measured with: of the framework, and of the floor. They are warmed up once for a whole run. */
export class Clusters {
  readonly framework: Cluster
  readonly floor: Cluster
  readonly #options: ClustersOptions
  #rounds = 0

  private constructor(options: ClustersOptions, framework: Cluster, floor: Cluster) {
    this.#options = options
    this.framework = framework
    this.floor = floor
  }

  static async start(options: ClustersOptions): Promise<Clusters> {
    const framework = await options.platform.startNodes({ prefix: freshPrefix(), nodes })
    return new Clusters(options, framework, await options.platform.startFloor({ slots }))
  }

  /** One burst for each cluster. */
  async round(): Promise<void> {
    const { platform, scale } = this.#options
    const burst = { count: Math.ceil(tasksOfRound * scale), atOnce: submitters, awaits: 'all' } as const
    for (const cluster of [this.framework, this.floor]) await measure(platform, cluster, burst)
    this.#rounds++
  }

  /** Resolves once the processes are warm. */
  async warmUp(): Promise<void> {
    while (this.#rounds < warmRounds) await this.round()
  }

  async end(): Promise<void> {
    await endAll([...this.framework, ...this.floor])
  }
}
