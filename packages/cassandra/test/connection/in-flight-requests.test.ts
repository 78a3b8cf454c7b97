import { errors } from 'cassandra-driver'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { InFlightRequests } from '../../src/connection/in-flight-requests.ts'

const open = (limits: { maxRequests?: number; maxConditional?: number } = {}) =>
  new InFlightRequests({ requestTimeoutMs: 60_000, maxRequests: 9, maxConditional: 9, ...limits, hostsDown: () => '' })

const never = (): Promise<never> => new Promise(() => {})

const endOfTurn = () => new Promise((resolve) => setImmediate(resolve))

describe('the requests in flight', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it('are limited, and a conditional request that waits does not hold up the others', async () => {
    const requests = open({ maxRequests: 2, maxConditional: 1 })
    const first = Promise.withResolvers<void>()
    const sent: string[] = []
    const send = (name: string, kind: 'read' | 'conditional', answer: Promise<void>) =>
      requests.send(kind, undefined, () => {
        sent.push(name)
        return answer
      })
    const answered = [send('a', 'conditional', first.promise), send('b', 'conditional', Promise.resolve())]
    await endOfTurn()
    await send('c', 'read', Promise.resolve())
    expect(sent).toEqual(['a', 'c'])
    first.resolve()
    await Promise.all(answered)
    expect(sent).toEqual(['a', 'c', 'b'])
  })

  it('end with the unknown outcome of a write when no answer comes in time', async () => {
    const write = expect(open().send('write', undefined, never)).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      message: expect.stringContaining('no answer within 60000 ms') as string,
    })
    await endOfTurn()
    vi.advanceTimersByTime(60_000)
    await write
  })

  it('end when a close has waited long enough, and those that wait for a permit at once', async () => {
    const requests = open({ maxRequests: 2 })
    const write = expect(requests.send('write', undefined, never)).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      message: expect.stringContaining('closed before the answer') as string,
    })
    const read = expect(requests.send('read', undefined, never)).rejects.toMatchObject({ code: 'CLOSED' })
    await endOfTurn()
    const waiting = expect(requests.send('read', undefined, never)).rejects.toMatchObject({ code: 'CLOSED' })
    const closed = requests.close()
    await waiting
    await expect(requests.send('read', undefined, never)).rejects.toMatchObject({ code: 'CLOSED' })
    vi.advanceTimersByTime(2_000)
    await Promise.all([write, read, closed])
  })

  it('keep their error when the storage is closed during the pause after it', async () => {
    const requests = open()
    const write = requests.send('write', undefined, () => Promise.reject(new errors.NoHostAvailableError({})))
    const refused = expect(write).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await endOfTurn()
    const closed = requests.close()
    await endOfTurn()
    vi.advanceTimersByTime(2_000)
    await Promise.all([refused, closed])
  })
})
