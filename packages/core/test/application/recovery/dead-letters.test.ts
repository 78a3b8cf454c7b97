import { declareTask, defineTask, unchecked } from '@taskledger/core'
import type { TaskId } from '@taskledger/core/ports'
import { describe, expect, it } from 'vitest'
import { VirtualCluster } from '../virtual-cluster.ts'

const missing = '018cc251-f400-7000-8000-000000000000' as TaskId

/** A node, and dead letters: text that no codec wrote, and the message of a task that does not exist. */
const withDeadLetters = async (cluster: VirtualCluster) => {
  const node = await cluster.node({ worker: { drainMs: 0, unknownTasks: { maxReleases: 2, retryDelayMs: 10 } } })
  cluster.memory.faults.injectMessage('default', `no message ${'x'.repeat(20_000)}`)
  await cluster.advance(1_000)
  await cluster.send({ taskId: missing })
  await cluster.advance(1_000)
  return { node, letters: node.manager.deadLetters }
}

describe('the dead letters of a manager', () => {
  it('are listed with queue, task, reason, time and releases, the oldest first', async () => {
    await using cluster = new VirtualCluster()
    const { letters } = await withDeadLetters(cluster)
    const now = cluster.clock.now()
    const listed = await letters.list()
    expect(listed).toMatchObject([
      { queue: 'default', reason: 'message is not JSON', releases: 0 },
      { queue: 'default', taskId: missing, reason: expect.stringContaining('there is no task') as string, releases: 2 },
    ])
    expect(listed[0]).not.toHaveProperty('taskId')
    expect(listed[0]?.text).toHaveLength(16_384)
    for (const { deadAt = 0 } of listed) expect(now - deadAt).toBeLessThanOrEqual(2_000)
    expect(await letters.list({ queue: 'default', limit: 1 })).toEqual(listed.slice(0, 1))
    expect(await letters.list({ queue: 'another' })).toEqual([])
    for (const letter of listed) expect(await letters.get(letter)).toEqual(letter)
  })

  it('are found in the queues of declared tasks and of other nodes, not only in those of this worker', async () => {
    await using cluster = new VirtualCluster()
    const mail = declareTask({ type: 'mail', queue: 'mail', payload: unchecked<string>() })
    const front = await cluster.node({ tasks: [mail], worker: false })
    const other = defineTask({ type: 'other', queue: 'other', run: () => {} })
    await cluster.node({ tasks: [other] })
    await cluster.node({ tasks: [defineTask({ type: 'mail', queue: 'mail', run: () => {} })] })
    for (const queue of ['mail', 'other']) cluster.memory.faults.injectMessage(queue, 'junk')
    await cluster.advance(1_000)
    expect((await front.manager.deadLetters.list()).map(({ queue }) => queue)).toEqual(['mail', 'other'])
  })

  it('are sent again as new messages, and run their task if it is there by then', async () => {
    await using cluster = new VirtualCluster()
    const late = defineTask({ type: 'late', run: () => 'done' })
    const front = await cluster.node({ tasks: [declareTask({ type: 'late' })], worker: false })
    const task = await front.manager.submit(late)
    const { messaging } = await cluster.outside()
    const consumer = await messaging.queue.consume('default', (delivery) => delivery.reject('of no use'), { slots: 1, mode: 'parallel' })
    await cluster.advance(0)
    await consumer.close()
    const [letter] = await front.manager.deadLetters.list()
    if (letter === undefined) throw new Error('the message has to be dead')
    expect(letter).toMatchObject({ taskId: task.id, reason: 'of no use' })
    await cluster.node({ tasks: [late] })
    await cluster.advance(0)
    await front.manager.deadLetters.resend(letter)
    await cluster.advance(1_000)
    expect(await task.details()).toMatchObject({ status: 'completed', result: 'done' })
    expect(await front.manager.deadLetters.list()).toEqual([])
  })

  it('can all be sent again at once, also those that die again at once', async () => {
    await using cluster = new VirtualCluster()
    const { letters } = await withDeadLetters(cluster)
    expect(await letters.resendAll({ queue: 'default' })).toBe(2)
    await cluster.advance(1_000)
    expect(await letters.list()).toHaveLength(2)
  })

  it('are removed one by one, and are then not found', async () => {
    await using cluster = new VirtualCluster()
    const { letters } = await withDeadLetters(cluster)
    const [first, second] = await letters.list()
    if (first === undefined || second === undefined) throw new Error('there have to be two')
    await letters.remove(first)
    expect(await letters.list()).toEqual([second])
    for (const call of [() => letters.get(first), () => letters.resend(first), () => letters.remove(first)])
      await expect(call()).rejects.toMatchObject({ code: 'DEAD_LETTER_NOT_FOUND', queue: 'default', id: first.id })
    expect(await letters.list()).toEqual([second])
  })

  it('refuses wrong calls with a code, and ends with its manager', async () => {
    await using cluster = new VirtualCluster()
    const { node, letters } = await withDeadLetters(cluster)
    for (const wrong of [{ limit: 0 }, { limit: 10_001 }, { queue: '' }])
      await expect(letters.list(wrong)).rejects.toMatchObject({ code: 'MISUSE' })
    for (const wrong of [undefined, 'id', { queue: 'default' }, { queue: 'default', id: 7 }] as never[])
      await expect(letters.resend(wrong)).rejects.toMatchObject({ code: 'MISUSE' })
    const reason = new Error('enough')
    await expect(letters.list({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await node.manager.close()
    await expect(letters.list()).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('ends in time if the engine never answers', async () => {
    await using cluster = new VirtualCluster()
    const { manager } = await cluster.node({
      intercept: (call, next) =>
        call.name === 'queue.deadLetters'
          ? (async function* () {
              yield* []
              await new Promise(() => {})
            })()
          : next(),
    })
    let failure: unknown
    manager.deadLetters.list({ queue: 'default' }).catch((error: unknown) => (failure = error))
    await cluster.advance(12_000)
    expect(failure).toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  })
})
