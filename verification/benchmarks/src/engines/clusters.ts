import type { Bench } from './bench.ts'
import { endAll, freshPrefix, startBareNodes, startNodes } from './bench.ts'
import type { Cluster } from './measured.ts'
import { measure } from './measured.ts'

/** How many tasks a worker has in hand at a time. */
export const slots = 64

/** How many submit at once, in one process. */
export const submitters = 64

/** Two workers and a process that submits. */
export const nodes = { 'worker-1': slots, 'worker-2': slots, submitter: 0 }

const tasksOfRound = 3_000

/**
 * A process is compiled while it runs: from the first thousands of tasks to the fifty thousandth, what one took of the three
 * processes fell from 1.5 to 0.75 ms. After so many rounds little is left to come.
 */
const warmRounds = 14

/** The processes that throughput is measured with: of the framework, and of the floor. They are made warm once for a whole run. */
export class Clusters {
  readonly framework: Cluster
  readonly bare: Cluster
  readonly #bench: Bench
  #rounds = 0

  private constructor(bench: Bench, framework: Cluster, bare: Cluster) {
    this.#bench = bench
    this.framework = framework
    this.bare = bare
  }

  static async start(bench: Bench): Promise<Clusters> {
    const framework = await startNodes(bench, { prefix: freshPrefix(), nodes })
    return new Clusters(bench, framework, await startBareNodes(bench, slots))
  }

  /** A burst for each. */
  async round(): Promise<void> {
    const burst = { count: Math.ceil(tasksOfRound * this.#bench.scale), atOnce: submitters, awaits: 'all' } as const
    for (const cluster of [this.framework, this.bare]) await measure(this.#bench, cluster, burst)
    this.#rounds++
  }

  /** Resolves once the processes are warm. */
  async warm(): Promise<void> {
    while (this.#rounds < warmRounds) await this.round()
  }

  async end(): Promise<void> {
    await endAll([...this.framework, ...this.bare])
  }
}
