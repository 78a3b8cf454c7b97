import type { EventStore, TaskEvent, TaskId } from '@taskledger/core/ports'
import { closedError, cohortOf, VersionConflict, within } from '@taskledger/core/ports'

/** The data of a mutant: a correct store, and a map of its own. */
export interface Data {
  readonly whole: () => EventStore
  readonly own: Map<TaskId, TaskEvent[]>
}

export type Break = (store: EventStore, data: Data) => Partial<EventStore>

const neverAborted = new AbortController().signal

interface Waiting {
  readonly taskId: TaskId
  readonly append: () => Promise<void>
  readonly signal: AbortSignal | undefined
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** The turns of the event loop that a request to an engine takes. */
const request = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** A store that commits the waiting appends of a cohort together; `commit` settles a batch. */
const grouping =
  (commit: (batch: readonly Waiting[]) => Promise<void>): Break =>
  (store) => {
    const lines = new Map<string, Waiting[]>()
    let closed = false
    const work = async (cohort: string, line: Waiting[]): Promise<void> => {
      while (line.length > 0) {
        const tasks = new Set<TaskId>()
        const batch = line.filter(({ taskId }) => !tasks.has(taskId) && tasks.add(taskId))
        line.splice(0, line.length, ...line.filter((waiting) => !batch.includes(waiting)))
        await request()
        await commit(batch)
      }
      lines.delete(cohort)
    }
    return {
      async append(taskId, version, events, options) {
        if (closed) throw closedError('the mutant')
        options?.signal?.throwIfAborted()
        const settled = new Promise<void>((resolve, reject) => {
          const append = (): Promise<void> => store.append(taskId, version, events, { ...options, signal: neverAborted })
          const waiting: Waiting = { taskId, append, signal: options?.signal, resolve, reject }
          const cohort = cohortOf(taskId)
          const line = lines.get(cohort)
          if (line !== undefined) return void line.push(waiting)
          const begun = [waiting]
          lines.set(cohort, begun)
          void work(cohort, begun)
        })
        await within(settled, { signal: options?.signal })
      },
      async close() {
        closed = true
        await store.close()
      },
    }
  }

const eachForItself = async (batch: readonly Waiting[]): Promise<void> => {
  for (const { append, resolve, reject } of batch) await append().then(resolve, reject)
}

/** For each mutant a name, the rules that fail, and the defect. */
export const cohortMutants: readonly (readonly [name: string, fails: readonly string[], broken: Break])[] = [
  ['commits the appends of a cohort together, and is right', [], grouping(eachForItself)],
  [
    'refuses a whole batch where one append is refused',
    ['ES-2.8'],
    grouping(async (batch) => {
      const outcomes = await Promise.allSettled(batch.map(({ append }) => append()))
      const refused = outcomes.find((outcome) => outcome.status === 'rejected')
      for (const { resolve, reject } of batch) {
        if (refused === undefined) resolve()
        else reject(refused.reason)
      }
    }),
  ],
  [
    'gives up a whole batch where one append is aborted',
    ['ES-2.8'],
    grouping(async (batch) => {
      const aborted = batch.find(({ signal }) => signal?.aborted === true)
      if (aborted === undefined) return eachForItself(batch)
      for (const { reject } of batch) reject(aborted.signal?.reason)
    }),
  ],
  [
    'compares the version of the whole cohort',
    ['ES-1.5', 'ES-2.6', 'ES-2.7', 'ES-2.8', 'ES-6.1', 'ES-6.3'],
    (store, { own }) => ({
      async append(taskId, version, events, options) {
        const cohort = cohortOf(taskId) as TaskId
        const written = (): number => own.get(cohort)?.length ?? 0
        const before = written()
        const { length } = await store.read(taskId, options)
        await request()
        const isRepeat = length > version
        if (written() !== before && !isRepeat) throw new VersionConflict(taskId, version, length)
        await store.append(taskId, version, events, options)
        own.set(cohort, [...(own.get(cohort) ?? []), ...events])
      },
    }),
  ],
  [
    'overwrites an existing history by a fresh append',
    ['ES-2.6'],
    (store) => ({
      async append(taskId, version, events, options) {
        if (options?.isFresh === true) await store.remove(taskId)
        await store.append(taskId, version, events, options)
      },
    }),
  ],
  [
    'treats a second creation as the repeat of a fresh one',
    ['ES-2.6', 'ES-2.8'],
    (store, { own }) => ({
      async append(taskId, version, events, options) {
        if (options?.isFresh === true) own.set(taskId, [...events])
        else if (version === 0 && own.has(taskId)) return
        await store.append(taskId, version, events, options)
      },
    }),
  ],
]
