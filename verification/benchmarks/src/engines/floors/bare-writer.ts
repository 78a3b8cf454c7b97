import type { BareTask, LifeStore } from './bare-store.ts'
import { Grouped } from './grouped.ts'

const most = 32

/** Few partitions, each by the cohort, so that a cohort is written together. */
const partitionOf = ({ cohort, createdAt }: BareTask, partitions: number): string => {
  const shard = Number.parseInt(cohort.slice(-6).replaceAll('-', '0'), 16) % partitions
  return `${Math.floor(createdAt / 60_000)}.${shard}`
}

/** The writes of one process, those of one partition together. */
export class BareWriter {
  readonly #appends: readonly Grouped<BareTask>[]
  readonly #saves: readonly Grouped<BareTask>[]

  constructor(store: LifeStore) {
    const byVersion = (write: (key: string, tasks: readonly BareTask[], version: number) => Promise<void>): readonly Grouped<BareTask>[] =>
      [1, 2, 3].map((version) => new Grouped(most, (key, tasks) => write(key, tasks, version)))
    this.#appends = byVersion((_cohort, tasks, seq) => (seq === 1 ? store.create(tasks) : store.append(tasks, seq)))
    this.#saves = byVersion((key, tasks, version) => {
      const [rows = '', unfinished = ''] = key.split(' ')
      return store.save({ rows, unfinished }, tasks, version)
    })
  }

  async append(task: BareTask, seq: number): Promise<void> {
    await this.#appends[seq - 1]?.add(task.cohort, task)
  }

  /** The row, and the entry among what is unfinished: it comes with the first version and goes with the last. */
  async save(task: BareTask, version: number): Promise<void> {
    await this.#saves[version - 1]?.add(`${partitionOf(task, 4)} ${partitionOf(task, 16)}`, task)
  }
}
