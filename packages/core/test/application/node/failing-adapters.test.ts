import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTaskManager, defineTask, silentLogger, unchecked } from '@taskledger/core'
import type { TaskEvent } from '@taskledger/core/ports'
import { detailsOf } from '@taskledger/core/ports'
import { checkHistory } from '@taskledger/core/testing'
import { createMemory } from '@taskledger/memory'
import type { Call, CallName, FaultMoment, Interceptor, Next } from '@taskledger/test-kit/faults'
import { interceptedMessaging, interceptedStorage } from '@taskledger/test-kit/faults'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** Fails the n-th call that leaves the process, and notes their names. `failing` is n: 1, 2, …; 0 fails no call. */
const failingOnce = (failing: number, moment: FaultMoment, names: CallName[]): Interceptor => {
  // These calls do not leave the process, or must not fail forever.
  const isLocal = ({ name, port }: Call): boolean => port === 'inbound' || name.endsWith('.close')
  const attempt = async (name: CallName, next: Next): Promise<unknown> => {
    names.push(name)
    const isFailing = names.length === failing
    if (isFailing && moment === 'before') throw new Error(`call ${failing} failed: ${name}`)
    const answer = await next()
    if (isFailing) throw new Error(`the answer of call ${failing} was lost: ${name}`)
    return answer
  }
  return (call, next) => (isLocal(call) ? next() : attempt(call.name, next))
}

const unhandled: unknown[] = []
const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
beforeAll(() => void process.on('unhandledRejection', onUnhandled))
afterAll(() => void process.off('unhandledRejection', onUnhandled))

const double = defineTask({
  type: 'double',
  payload: unchecked<number>(),
  retry: { maxAttempts: 2, backoff: { initialMs: 1, maxMs: 1 } },
  async run({ payload, progress, attempt }) {
    progress('half way')
    if (payload < 0 && attempt === 1) throw new Error('a negative number, at first')
    return payload * 2
  },
})

const hang = defineTask({
  type: 'hang',
  run: ({ signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
})

/** A whole life: everything that a manager and its worker do, while one call fails. */
const live = async (failing: number, moment: FaultMoment): Promise<readonly string[]> => {
  const memory = createMemory()
  const calls: CallName[] = []
  const intercept = failingOnce(failing, moment, calls)
  const storage = interceptedStorage(memory.storage(), intercept)
  const messaging = interceptedMessaging(memory.messaging(), intercept)
  const observer = memory.storage()
  const worker = { slots: 2, unknownTasks: { retryDelayMs: 1 }, progressIntervalMs: 1 }
  const manager = await createTaskManager({ tasks: [double, hang], storage, messaging, worker, logger: silentLogger })
  try {
    const plain = await manager.submit(double, 21)
    expect(await plain.result()).toBe(42)
    const retried = await manager.submit(double, -1, { idempotencyKey: 'once' })
    const again = await manager.submit(double, -1, { idempotencyKey: 'once' })
    expect(again.id).toBe(retried.id)
    expect(await retried.result()).toBe(-2)

    const hanging = await manager.submit(hang)
    while ((await hanging.details()).status === 'waiting') await sleep(1)
    expect((await hanging.cancel({ reason: 'enough' })).outcome).toBe('requested')
    expect((await hanging.finished()).status).toBe('cancelled')

    const due = await manager.submit(double, 1, { notBefore: Date.now() + 3_600_000 })
    expect((await due.cancel()).outcome).toBe('cancelled')
    expect((await manager.list()).tasks.map(({ taskId }) => taskId).sort()).toEqual([plain.id, retried.id, hanging.id, due.id].sort())
    expect(await manager.nodes()).toBeInstanceOf(Array)

    const released = await manager.submit(hang)
    while ((await released.details()).status === 'waiting') await sleep(1)
    await manager.close({ drainMs: 0 })
    expect(detailsOf(await observer.events.read(released.id))?.status).toBe('waiting')
  } finally {
    await manager.close({ drainMs: 0 })
  }
  for await (const details of allRows(observer)) {
    const history: readonly TaskEvent[] = await observer.events.read(details.taskId)
    expect(checkHistory(history)).toEqual([])
    expect({ ...details, progress: undefined }).toEqual({ ...detailsOf(history), progress: undefined })
  }
  return calls
}

async function* allRows(storage: ReturnType<ReturnType<typeof createMemory>['storage']>) {
  yield* (await storage.listing.list({}, { limit: 1_000 })).tasks
}

describe.each<FaultMoment>(['before', 'after'])('a port that fails %s its effect', (moment) => {
  it('does no harm, whichever call of a whole life fails', { timeout: 120_000 }, async () => {
    const calls = await live(0, moment)
    expect(calls.length).toBeGreaterThan(40)
    const lives = Array.from({ length: calls.length }, (_, index) => index + 1)
    const outcomes = await Promise.allSettled(
      lives.map((failing) =>
        Promise.race([live(failing, moment), sleep(60_000, undefined, { ref: false }).then(() => Promise.reject(new Error('it hangs')))]),
      ),
    )
    const broken = outcomes.flatMap((outcome, index) =>
      outcome.status === 'rejected' ? [`call ${index + 1} (${calls[index]}): ${String(outcome.reason)}`] : [],
    )
    expect(broken).toEqual([])
    expect(unhandled).toEqual([])
  })
})
