import { setImmediate as endOfTurn } from 'node:timers/promises'
import { cohortOf, within } from '@taskledger/core/ports'
import type { EventTable, HistoryRead } from './event-table.ts'

/** For each read the texts of the events, in order. */
type Texts = ReadonlyMap<HistoryRead, readonly string[]>

/** Reads that go together. */
interface Gathering {
  readonly reads: Set<HistoryRead>
  /** Aborts when all who asked have given up. */
  readonly unwanted: AbortController
  readonly texts: Promise<Texts>
}

/** As many as a cohort has tasks. */
const maxTogether = 32

/**
 * The reads of a cohort that begin in the same turn of the event loop share one request: in a burst its tasks are written together, and
 * so they are read. None waits for a request that is under way, and none is answered by one that was sent before it was asked: it
 * has to see what was written until then.
 */
export class HistoryReads {
  readonly #table: Pick<EventTable, 'texts' | 'textsOfEach'>
  /** What may still be added to, by cohort. */
  readonly #gatherings = new Map<string, Gathering>()

  constructor(table: Pick<EventTable, 'texts' | 'textsOfEach'>) {
    this.#table = table
  }

  /** With an aborted signal it rejects promptly; those beside it are answered all the same. */
  async texts(read: HistoryRead, signal?: AbortSignal): Promise<readonly string[]> {
    const cohort = cohortOf(read.taskId)
    const { reads, unwanted, texts } = this.#gather(cohort, read)
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

  #gather(cohort: string, read: HistoryRead): Gathering {
    const open = this.#gatherings.get(cohort)
    if (open !== undefined && open.reads.size < maxTogether) {
      open.reads.add(read)
      return open
    }
    const reads = new Set([read])
    const unwanted = new AbortController()
    const gathering = { reads, unwanted, texts: this.#send(cohort, reads, unwanted.signal) }
    this.#gatherings.set(cohort, gathering)
    return gathering
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
    if (this.#gatherings.get(cohort)?.reads === reads) this.#gatherings.delete(cohort)
  }
}
