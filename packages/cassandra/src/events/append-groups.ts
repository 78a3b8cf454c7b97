import { unavailable, VersionConflict } from '@taskledger/core/ports'
import type { Append } from './append.ts'
import { judge } from './append.ts'
import type { EventTable } from './event-table.ts'
import { GroupCommit } from '../connection/group-commit.ts'

/** The number of tasks in a cohort. */
const maxTogether = 32
/** Far below the limit of a mutation (by default at least 8 MiB). */
const maxBytesTogether = 512 * 1024
/** How often a batch of appends that fit may be refused before each append is written alone. */
const maxRounds = 3

const bounds = {
  maxItems: maxTogether,
  maxBytes: maxBytesTogether,
  sizeOf: ({ size }: Append) => size,
  idOf: ({ taskId }: Append) => taskId,
}

const done: PromiseFulfilledResult<void> = { status: 'fulfilled', value: undefined }
const failed = (reason: unknown): PromiseRejectedResult => ({ status: 'rejected', reason })

/** The first events of tasks with random ids: written without a condition, those of a cohort in one batch. */
export const freshAppends = (table: EventTable): GroupCommit<Append> =>
  new GroupCommit({
    ...bounds,
    async flush(_cohort, appends) {
      await table.insertFresh(appends)
      return appends.map(() => done)
    },
  })

/** All other appends: those of a cohort in one conditional batch. */
export const conditionalAppends = (table: EventTable): GroupCommit<Append> =>
  new GroupCommit({ ...bounds, flush: (_cohort, appends) => appendTogether(table, appends) })

/**
 * Cassandra refuses the whole batch if it refuses one append. Then one read shows which appends were made before and
 * which lost to another writer; the others are written again. If the outcome of a batch is unknown, it is unknown
 * for each append: the callers retry.
 */
const appendTogether = async (table: EventTable, appends: readonly Append[]): Promise<readonly PromiseSettledResult<void>[]> => {
  const results = new Map<Append, PromiseSettledResult<void>>()
  let pending = appends
  try {
    for (let round = 1; pending.length > 0; round++) {
      if (round > maxRounds && pending.length > 1) {
        for (const append of pending) results.set(append, ...((await appendTogether(table, [append])) as [PromiseSettledResult<void>]))
        break
      }
      if (round > 2 * maxRounds)
        throw unavailable('an append was refused repeatedly, because other nodes write to the same cohort: retry it')
      if (await table.insertNext(pending)) {
        for (const append of pending) results.set(append, done)
        break
      }
      pending = await judgeAll(table, pending, results)
    }
  } catch (error) {
    for (const append of pending) if (!results.has(append)) results.set(append, failed(error))
  }
  return appends.map((append) => results.get(append) ?? failed(new TypeError('an append has no result')))
}

/** Records the results of the appends that are decided, and returns those to write again. */
const judgeAll = async (
  table: EventTable,
  appends: readonly Append[],
  results: Map<Append, PromiseSettledResult<void>>,
): Promise<readonly Append[]> => {
  const [first, ...others] = appends.map(({ taskId }) => taskId)
  if (first === undefined) return []
  const histories = await table.eventIds([first, ...others])
  const fitting: Append[] = []
  for (const append of appends) {
    const judgement = judge(append, histories.get(append.taskId) ?? new Map())
    if (judgement === 'fits') fitting.push(append)
    else if (judgement === 'was made') results.set(append, done)
    else results.set(append, failed(new VersionConflict(append.taskId, append.expectedVersion, judgement.actualVersion)))
  }
  return fitting
}
