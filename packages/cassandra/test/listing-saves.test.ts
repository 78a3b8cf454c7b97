import type { TaskDetails } from '@taskledger/core/ports'
import { TaskledgerError } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import type { Snapshot } from '../src/listing-saves.ts'
import { Saves } from '../src/listing-saves.ts'
import { detailsWith } from './listing-samples.ts'

const snapshotOf = (details: TaskDetails): Snapshot => ({ details, text: 'text' })

/** Saves whose batches end when they are told to. */
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

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('saves', () => {
  it('go at once where nothing is under way, and together with the next where something is', async () => {
    const { batches, save } = openSaves()
    const saved = [1, 2, 3].map((version) => save(detailsWith({ version })))
    expect(batches.map(({ versions }) => versions)).toEqual([[1]])
    batches[0]?.end()
    await saved[0]
    await turn()
    expect(batches.map(({ versions }) => versions)).toEqual([[1], [2, 3]])
    batches[1]?.end()
    await Promise.all(saved)
  })

  it('of other partitions do not wait', () => {
    const { batches, save } = openSaves()
    void save(detailsWith({ version: 1 }), 'p')
    void save(detailsWith({ version: 2 }), 'q')
    expect(batches.map(({ versions }) => versions)).toEqual([[1], [2]])
  })

  it('of one task are written in the newest version that waits, which answers for the older ones', async () => {
    const { batches, save } = openSaves()
    const task = detailsWith()
    const done: number[] = []
    const versions = [1, 2, 4, 3]
    const saved = versions.map(async (version) => {
      await save({ ...task, version })
      done.push(version)
    })
    batches[0]?.end()
    await turn()
    expect(done).toEqual([1])
    expect(batches.map((batch) => batch.versions)).toEqual([[1], [4]])
    batches[1]?.end()
    await Promise.all(saved)
    expect(batches).toHaveLength(2)
  })

  it('of an older version wait for the newer one that is under way', async () => {
    const { batches, save } = openSaves()
    const task = detailsWith({ version: 3 })
    const saved = Promise.all([save(task), save({ ...task, version: 2 })])
    batches[0]?.end()
    await saved
    expect(batches).toHaveLength(1)
  })

  it('fail with the version that answers for them, and may be repeated', async () => {
    const { batches, save } = openSaves()
    const task = detailsWith()
    const saved = [1, 2, 3].map((version) => save({ ...task, version }))
    batches[0]?.end()
    await turn()
    batches[1]?.end(new Error('no answer'))
    const outcomes = await Promise.allSettled(saved)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    const again = save({ ...task, version: 3 })
    batches[2]?.end()
    await again
  })

  it('fall apart where the engine refuses them, so that one does not take the others with it', async () => {
    const refused = detailsWith({ labels: ['x'.repeat(70_000)] })
    const written: TaskDetails[] = []
    const gate = Promise.withResolvers<void>()
    const saves = new Saves(async (snapshots) => {
      await gate.promise
      if (snapshots.some(({ details }) => details === refused)) throw new TaskledgerError('MISCONFIGURED', 'the key is too long')
      written.push(...snapshots.map(({ details }) => details))
    })
    const tasks = [detailsWith(), detailsWith(), refused, detailsWith()]
    const saved = tasks.map((details) => saves.save('p', snapshotOf(details)))
    gate.resolve()
    const outcomes = await Promise.allSettled(saved)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(written).toEqual(tasks.filter((details) => details !== refused))
  })
})
