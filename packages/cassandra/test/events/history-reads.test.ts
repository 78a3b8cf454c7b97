import type { TaskId } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import type { HistoryRead } from '../../src/events/event-table.ts'
import { HistoryReads } from '../../src/events/history-reads.ts'
import { cohortIds } from '../samples.ts'

interface Request {
  readonly alone: boolean
  readonly reads: readonly HistoryRead[]
  readonly signal: AbortSignal | undefined
  /** Answers with the texts of each read. */
  answer(): void
  fail(error: Error): void
}

const textsOf = ({ taskId, afterVersion }: HistoryRead): readonly string[] => [`${taskId} after ${afterVersion}`]

/** Reads whose requests end when the test ends them. */
const stage = () => {
  const requests: Request[] = []
  const request = (alone: boolean, reads: readonly HistoryRead[], signal: AbortSignal | undefined) =>
    new Promise<ReadonlyMap<HistoryRead, readonly string[]>>((resolve, reject) => {
      const answer = (): void => resolve(new Map(reads.map((read) => [read, textsOf(read)])))
      requests.push({ alone, reads, signal, answer, fail: reject })
    })
  const reads = new HistoryReads({
    texts: async (read, { signal }) => (await request(true, [read], signal)).get(read) ?? [],
    textsOfEach: (each, { signal }) => request(false, each, signal),
  })
  const read = (taskId: TaskId, { afterVersion = 0, signal }: { afterVersion?: number; signal?: AbortSignal } = {}) =>
    reads.texts({ taskId, afterVersion }, signal)
  const sizes = () => requests.map((one) => one.reads.length)
  return { read, requests, sizes }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

const [a, b, c] = cohortIds(3) as readonly [TaskId, TaskId, TaskId]

describe('reads of histories', () => {
  it('of a whole cohort take one request, and each caller gets its own texts', async () => {
    const { read, requests, sizes } = stage()
    const ids = cohortIds(32)
    const texts = ids.map((id, index) => read(id, { afterVersion: index % 3 }))
    await turn()
    expect(sizes()).toEqual([32])
    requests[0]?.answer()
    expect(await Promise.all(texts)).toEqual(ids.map((taskId, index) => textsOf({ taskId, afterVersion: index % 3 })))
  })

  it('are sent in several requests when they are more than a cohort', async () => {
    const { read, requests, sizes } = stage()
    const texts = cohortIds(70).map((id) => read(id))
    await turn()
    expect(sizes()).toEqual([32, 32, 6])
    for (const { answer } of requests) answer()
    expect(await Promise.all(texts)).toHaveLength(70)
  })

  it('are sent alone when there is only one', async () => {
    const { read, requests } = stage()
    const texts = read(a, { afterVersion: 2 })
    await turn()
    expect(requests).toMatchObject([{ alone: true, reads: [{ taskId: a, afterVersion: 2 }] }])
    requests[0]?.answer()
    expect(await texts).toEqual(textsOf({ taskId: a, afterVersion: 2 }))
  })

  it('of different cohorts do not share a request', async () => {
    const { read, sizes } = stage()
    for (const id of [a, b, ...cohortIds(2)]) void read(id)
    await turn()
    expect(sizes()).toEqual([2, 2])
  })

  it('of one task in one turn are both answered', async () => {
    const { read, requests } = stage()
    const texts = [read(a), read(a, { afterVersion: 1 })]
    await turn()
    requests[0]?.answer()
    expect(await Promise.all(texts)).toEqual([0, 1].map((afterVersion) => textsOf({ taskId: a, afterVersion })))
  })

  it('neither share nor wait for a request that was sent before', async () => {
    const { read, requests, sizes } = stage()
    const texts = [read(a), read(b)]
    await turn()
    texts.push(read(a), read(c))
    await turn()
    expect(sizes()).toEqual([2, 2])
    requests[1]?.answer()
    await Promise.all(texts.slice(2))
    requests[0]?.answer()
    await Promise.all(texts)
  })

  it('fail together when their request fails', async () => {
    const { read, requests } = stage()
    const texts = Promise.allSettled([read(a), read(b)])
    await turn()
    const reason = new Error('broken')
    requests[0]?.fail(reason)
    expect(await texts).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ])
  })

  it('leave out a read that is aborted before they are sent', async () => {
    const { read, requests } = stage()
    const abort = new AbortController()
    const [given, other] = [read(a, { signal: abort.signal }), read(b)]
    abort.abort(new Error('gave up'))
    await expect(given).rejects.toThrow('gave up')
    await turn()
    expect(requests).toMatchObject([{ alone: true, reads: [{ taskId: b }] }])
    requests[0]?.answer()
    await other
  })

  it('are answered when another read of their request is aborted in flight', async () => {
    const { read, requests } = stage()
    const abort = new AbortController()
    const [given, other] = [read(a, { signal: abort.signal }), read(b)]
    await turn()
    abort.abort(new Error('gave up'))
    await expect(given).rejects.toThrow('gave up')
    expect(requests[0]?.signal?.aborted).toBe(false)
    requests[0]?.answer()
    expect(await other).toEqual(textsOf({ taskId: b, afterVersion: 0 }))
  })

  it('abort their request when all of them are aborted', async () => {
    const { read, requests } = stage()
    const [first, second] = [new AbortController(), new AbortController()]
    const texts = Promise.allSettled([read(a, { signal: first.signal }), read(b, { signal: second.signal })])
    await turn()
    first.abort(new Error('gave up'))
    second.abort(new Error('gave up too'))
    expect(await texts).toMatchObject([{ reason: new Error('gave up') }, { reason: new Error('gave up too') }])
    expect(requests[0]?.signal?.aborted).toBe(true)
  })

  it('start a new request when all reads of the turn are aborted', async () => {
    const { read, requests } = stage()
    const abort = new AbortController()
    const given = read(a, { signal: abort.signal })
    abort.abort(new Error('gave up'))
    await expect(given).rejects.toThrow('gave up')
    const next = read(b)
    await turn()
    expect(requests).toMatchObject([{ reads: [{ taskId: b }] }])
    requests[0]?.answer()
    expect(await next).toEqual(textsOf({ taskId: b, afterVersion: 0 }))
  })
})
