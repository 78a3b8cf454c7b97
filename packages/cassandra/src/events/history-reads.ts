import { setImmediate as endOfTurn } from 'node:timers/promises'
import { cohortOf, within } from '@taskledger/core/ports'
import type { EventTable, HistoryRead } from './event-table.ts'

/** The texts of the events of each read, in order. */
type Texts = ReadonlyMap<HistoryRead, readonly string[]>

/** Reads that share a request. */
interface ReadBatch {
  readonly reads: Set<HistoryRead>
  /** Aborted when every caller has given up. */
  readonly unwanted: AbortController
  readonly texts: Promise<Texts>
}

/** The number of tasks in a cohort. */
const maxReads = 32

/**
 * Reads of a cohort share a request if they begin in the same turn of the event loop: the tasks of a burst are written
 * together, and so they are read together. A read neither waits for a request in flight nor shares its answer: it has
 * to see every write that was done before it began.
 */
export class HistoryReads {
  readonly #table: Pick<EventTable, 'texts' | 'textsOfEach'>
  /** The batches that are not sent yet, by cohort. */
  readonly #batches = new Map<string, ReadBatch>()

  constructor(table: Pick<EventTable, 'texts' | 'textsOfEach'>) {
    this.#table = table
  }

  /** The texts of a task's events. On an abort it rejects promptly, and the rest of the batch is still answered. */
  async texts(read: HistoryRead, signal?: AbortSignal): Promise<readonly string[]> {
    const cohort = cohortOf(read.taskId)
    const { reads, unwanted, texts } = this.#join(cohort, read)
    try {
      return (await within(texts, { signal })).get(read) ?? []
    } catch (error) {
      reads.delete(read)
      if (reads.size === 0) {
        this.#close(cohort, reads)
        unwanted.abort(error)
      }
      throw error
    }
  }

  #join(cohort: string, read: HistoryRead): ReadBatch {
    const open = this.#batches.get(cohort)
    if (open !== undefined && open.reads.size < maxReads) {
      open.reads.add(read)
      return open
    }
    const reads = new Set([read])
    const unwanted = new AbortController()
    const batch = { reads, unwanted, texts: this.#send(cohort, reads, unwanted.signal) }
    this.#batches.set(cohort, batch)
    return batch
  }

  async #send(cohort: string, reads: ReadonlySet<HistoryRead>, signal: AbortSignal): Promise<Texts> {
    await endOfTurn()
    this.#close(cohort, reads)
    const [first, ...others] = reads
    if (first === undefined) return new Map()
    if (others.length > 0) return this.#table.textsOfEach([first, ...others], { signal })
    return new Map([[first, await this.#table.texts(first, { signal })]])
  }

  #close(cohort: string, reads: ReadonlySet<HistoryRead>): void {
    if (this.#batches.get(cohort)?.reads === reads) this.#batches.delete(cohort)
  }
}
