import type { TaskDetails } from '@taskledger/core/ports'
import { TaskledgerError } from '@taskledger/core/ports'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Snapshot } from '../../src/listing/saves.ts'
import { Saves, startDelayMs } from '../../src/listing/saves.ts'
import { detailsWith } from './samples.ts'

const snapshotOf = (details: TaskDetails): Snapshot => ({ details, text: 'text' })

/** Saves whose batches end when the test ends them. */
const openSaves = () => {
  const batches: { versions: readonly number[]; end: (error?: Error) => void }[] = []
  const saves = new Saves(
    (snapshots) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error): void => (error === undefined ? resolve() : reject(error))
        batches.push({ versions: snapshots.map(({ details }) => details.version), end })
      }),
  )
  return { batches, save: (details: TaskDetails, partition = 'p') => saves.save(partition, snapshotOf(details)) }
}

/** Long enough for the saves of a finished batch to settle, and for the next batch to begin. */
const turn = async (): Promise<void> => {
  for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve))
}

describe('saves', () => {
  it('are written at once if no batch is in flight, and otherwise together in the next batch', async () => {
    const { batches, save } = openSaves()
    const saved = [save(detailsWith({ version: 1 }))]
    await turn()
    saved.push(...[2, 3].map((version) => save(detailsWith({ version }))))
    expect(batches.map(({ versions }) => versions)).toEqual([[1]])
    batches[0]?.end()
    await saved[0]
    await turn()
    expect(batches.map(({ versions }) => versions)).toEqual([[1], [2, 3]])
    batches[1]?.end()
    await Promise.all(saved)
  })

  it('of other partitions do not wait', async () => {
    const { batches, save } = openSaves()
    void save(detailsWith({ version: 1 }), 'p')
    void save(detailsWith({ version: 2 }), 'q')
    await turn()
    expect(batches.map(({ versions }) => versions)).toEqual([[1], [2]])
  })

  it('of one task are written in the newest version that waits, which answers the older ones', async () => {
    const { batches, save } = openSaves()
    const task = detailsWith()
    const done: number[] = []
    const saveAndTell = async (version: number): Promise<void> => {
      await save({ ...task, version })
      done.push(version)
    }
    const saved = [saveAndTell(1)]
    await turn()
    saved.push(...[2, 4, 3].map(saveAndTell))
    batches[0]?.end()
    await turn()
    expect(done).toEqual([1])
    expect(batches.map((batch) => batch.versions)).toEqual([[1], [4]])
    batches[1]?.end()
    await Promise.all(saved)
    expect(batches).toHaveLength(2)
  })

  it('of an older version wait for a newer version in flight', async () => {
    const { batches, save } = openSaves()
    const task = detailsWith({ version: 3 })
    const first = save(task)
    await turn()
    const saved = Promise.all([first, save({ ...task, version: 2 })])
    batches[0]?.end()
    await saved
    expect(batches).toHaveLength(1)
  })

  it('fail with the version that answers them, and may be retried', async () => {
    const { batches, save } = openSaves()
    const task = detailsWith()
    const saved = [save({ ...task, version: 1 })]
    await turn()
    saved.push(...[2, 3].map((version) => save({ ...task, version })))
    batches[0]?.end()
    await turn()
    batches[1]?.end(new Error('no answer'))
    const outcomes = await Promise.allSettled(saved)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    const again = save({ ...task, version: 3 })
    await turn()
    batches[2]?.end()
    await again
  })

  it.each(['MISCONFIGURED', 'TOO_LARGE'] as const)(
    'are written alone when Cassandra refuses their batch, so that one does not fail the others (%s)',
    async (code) => {
      const refused = detailsWith({ labels: ['x'.repeat(70_000)] })
      const written: TaskDetails[] = []
      const gate = Promise.withResolvers<void>()
      const saves = new Saves(async (snapshots) => {
        await gate.promise
        if (snapshots.some(({ details }) => details === refused)) throw new TaskledgerError(code, 'the key is too long')
        written.push(...snapshots.map(({ details }) => details))
      })
      const tasks = [detailsWith(), detailsWith(), refused, detailsWith()]
      const saved = tasks.map((details) => saves.save('p', snapshotOf(details)))
      gate.resolve()
      const outcomes = await Promise.allSettled(saved)
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
      expect(written).toEqual(tasks.filter((details) => details !== refused))
    },
  )
})

describe('saves of a start', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  const started = detailsWith({ status: 'inProgress', version: 2, attempt: 1 })

  it('wait for the end of the task, which answers them', async () => {
    const { batches, save } = openSaves()
    const saved = [save(started)]
    await turn()
    saved.push(save({ ...started, status: 'completed', version: 3 }))
    await turn()
    expect(batches.map(({ versions }) => versions)).toEqual([[3]])
    expect(vi.getTimerCount()).toBe(0)
    batches[0]?.end()
    await Promise.all(saved)
  })

  it('are written after the delay if the task has not ended', async () => {
    const { batches, save } = openSaves()
    const saved = save(started)
    await turn()
    expect(batches).toEqual([])
    vi.advanceTimersByTime(startDelayMs)
    await turn()
    expect(batches.map(({ versions }) => versions)).toEqual([[2]])
    batches[0]?.end()
    await saved
  })

  it('answer a late save of an older version', async () => {
    const { batches, save } = openSaves()
    const saved = [save(started), save({ ...started, status: 'waiting', version: 1, attempt: 0 })]
    vi.advanceTimersByTime(startDelayMs)
    await turn()
    expect(batches.map(({ versions }) => versions)).toEqual([[2]])
    batches[0]?.end()
    await Promise.all(saved)
  })

  it('do not delay a request to cancel', async () => {
    const { batches, save } = openSaves()
    const saved = [save(started), save({ ...started, status: 'cancelRequested', version: 3 })]
    await turn()
    expect(batches.map(({ versions }) => versions)).toEqual([[3]])
    batches[0]?.end()
    await Promise.all(saved)
  })
})
