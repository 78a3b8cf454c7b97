import { TaskledgerError, VersionConflict } from '@taskledger/core/ports'
import type { Append } from './append.ts'
import { judge } from './append.ts'
import type { EventTable } from './event-table.ts'
import { GroupCommit } from '../connection/group-commit.ts'

/** As many as a cohort has tasks. */
const maxTogether = 32
/** Far below what one mutation may have (by default 8 MiB and more). */
const maxBytesTogether = 512 * 1024
/** How often appends that fit may be refused together, before each goes alone. */
const maxRounds = 3

const bounds = {
  maxItems: maxTogether,
  maxBytes: maxBytesTogether,
  sizeOf: ({ size }: Append) => size,
  idOf: ({ taskId }: Append) => taskId,
}

const done: PromiseFulfilledResult<void> = { status: 'fulfilled', value: undefined }
const failed = (reason: unknown): PromiseRejectedResult => ({ status: 'rejected', reason })

/** First events of tasks whose ids were drawn by chance: written without a condition, those of a cohort together. */
export const freshAppends = (table: EventTable): GroupCommit<Append> =>
  new GroupCommit({
    ...bounds,
    async flush(_cohort, appends) {
      await table.insertFresh(appends)
      return appends.map(() => done)
    },
  })

/** All other appends: those of a cohort share one conditional write. */
export const conditionalAppends = (table: EventTable): GroupCommit<Append> =>
  new GroupCommit({ ...bounds, flush: (_cohort, appends) => appendTogether(table, appends) })

/**
 * One refused append refuses all that go with it. Then one read tells which were made before and which have lost, and the
 * others go again. Where the outcome is unknown it is so for each of them: their callers repeat them, and that settles it.
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
        throw new TaskledgerError('UNAVAILABLE', 'an append was refused again and again, and fits: others write at the same time')
      if (await table.insertNext(pending)) {
        for (const append of pending) results.set(append, done)
        break
      }
      pending = await judgeAll(table, pending, results)
    }
  } catch (error) {
    for (const append of pending) if (!results.has(append)) results.set(append, failed(error))
  }
  return appends.map((append) => results.get(append) ?? failed(new TypeError('an append came to nothing')))
}

/** Gives those back that may be tried again. */
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
    else if (judgement === 'stands there') results.set(append, done)
    else results.set(append, failed(new VersionConflict(append.taskId, append.expectedVersion, judgement.actualVersion)))
  }
  return fitting
}
