import type { BareTask, LifeStore } from './bare-store.ts'
import { Grouped } from './grouped.ts'

const maxTasks = 32

/** The partition depends on the cohort, so that a cohort is written together. */
const partitionOf = ({ cohort, createdAt }: BareTask, partitions: number): string => {
  const shard = Number.parseInt(cohort.slice(-6).replaceAll('-', '0'), 16) % partitions
  return `${Math.floor(createdAt / 60_000)}.${shard}`
}

/** The writes of one process, grouped by partition. */
export class BareWriter {
  readonly #appends: readonly Grouped<BareTask>[]
  readonly #saves: readonly Grouped<BareTask>[]

  constructor(store: LifeStore) {
    const byVersion = (write: (key: string, tasks: readonly BareTask[], version: number) => Promise<void>): readonly Grouped<BareTask>[] =>
      [1, 2, 3].map((version) => new Grouped(maxTasks, (key, tasks) => write(key, tasks, version)))
    this.#appends = byVersion((_cohort, tasks, seq) => (seq === 1 ? store.create(tasks) : store.append(tasks, seq)))
    this.#saves = byVersion((key, tasks, version) => {
      const [rows = '', unfinished = ''] = key.split(' ')
      return store.save({ rows, unfinished }, tasks, version)
    })
  }

  async append(task: BareTask, seq: number): Promise<void> {
    await this.#appends[seq - 1]?.add(task.cohort, task)
  }

  /** Writes the row and the unfinished task, which the last version deletes. */
  async save(task: BareTask, version: number): Promise<void> {
    await this.#saves[version - 1]?.add(`${partitionOf(task, 4)} ${partitionOf(task, 16)}`, task)
  }
}
