import type { ConsumeMode, DeadLetter, Delivery, TaskId, WorkQueue } from '@taskledger/core/ports'
import { silentLogger } from '@taskledger/core/ports'
import { createMemory } from '@taskledger/memory'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { created, message, taskIdOf } from '../samples.ts'

// Every wait in these tests uses the clock, which only `advanceTimersByTimeAsync` moves.
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

interface Run {
  readonly consumer: string
  readonly taskId: TaskId
  readonly delivery: Delivery
  /** Ends the handler. */
  readonly end: () => void
}

/** Consumers whose handlers end when the test ends them. */
const recorder = () => {
  const runs: Run[] = []
  const consume = (queue: WorkQueue, consumer: string, slots: number, mode: ConsumeMode = 'parallel') => {
    const handle = (delivery: Delivery): Promise<void> =>
      new Promise((resolve) => runs.push({ consumer, taskId: delivery.message.taskId, delivery, end: resolve }))
    return queue.consume('default', handle, { slots, mode })
  }
  const run = (index: number): Run => {
    const found = runs[index]
    if (found === undefined) throw new Error(`there is no run ${index}`)
    return found
  }
  return { runs, run, consume }
}

const quiet = () => createMemory({ logger: silentLogger })

test('a handler never runs inside the call that sends or consumes', async () => {
  const { queue } = quiet().messaging()
  const { runs, consume } = recorder()
  const sent = queue.send('default', message(1))
  const consuming = consume(queue, 'a', 1)
  const sentToo = queue.send('default', message(2))
  expect(runs).toHaveLength(0)
  await Promise.all([sent, consuming, sentToo])
  await settle()
  expect(runs).toHaveLength(1)
})

test('a message arrives as it was sent, although its sender and another consumer changed their copies', async () => {
  const { queue } = quiet().messaging()
  const { run, consume } = recorder()
  const sent = { ...message(1), created: created(1) }
  await queue.send('default', sent)
  ;(sent as { version: number }).version = 99
  await consume(queue, 'a', 1)
  await settle()
  expect(run(0).delivery.message).toEqual({ ...message(1), created: created(1) })
  ;(run(0).delivery.message as { version: number }).version = 99
  await run(0).delivery.release()
  run(0).end()
  await settle()
  expect(run(1).delivery.message).toEqual({ ...message(1), created: created(1) })
})

test('a long queue is delivered in order, and timers run meanwhile', async () => {
  const { queue } = quiet().messaging()
  const taken: TaskId[] = []
  const takenAtTimer: number[] = []
  const count = 2_500
  for (let number = 0; number < count; number++) await queue.send('default', message(number))
  setTimeout(() => takenAtTimer.push(taken.length), 0)
  const take = async (delivery: Delivery): Promise<void> => {
    taken.push(delivery.message.taskId)
    await delivery.accept()
  }
  await queue.consume('default', take, { slots: 1, mode: 'parallel' })
  await vi.advanceTimersByTimeAsync(10)
  expect(taken).toEqual(Array.from({ length: count }, (_, number) => taskIdOf(number)))
  expect(takenAtTimer[0]).toBeLessThan(count)
})

test('consumers with free slots take turns', async () => {
  const memory = quiet()
  const { runs, run, consume } = recorder()
  const [one, other] = [memory.messaging(), memory.messaging()]
  await consume(one.queue, 'a', 3)
  await consume(other.queue, 'b', 2)
  for (let number = 0; number < 7; number++) await one.queue.send('default', message(number))
  await settle()
  expect(runs.map(({ consumer }) => consumer).join('')).toBe('ababa')
  run(1).end()
  await settle()
  expect(runs.map(({ consumer }) => consumer).join('')).toBe('ababab')
})

test('resize takes effect at once, and running handlers go on', async () => {
  const { queue } = quiet().messaging()
  const { runs, run, consume } = recorder()
  const consumer = await consume(queue, 'a', 0)
  for (let number = 0; number < 4; number++) await queue.send('default', message(number))
  await settle()
  expect(runs).toHaveLength(0)
  consumer.resize(2)
  await settle()
  expect(runs).toHaveLength(2)
  consumer.resize(0)
  await run(0).delivery.accept()
  run(0).end()
  await settle()
  expect(runs).toHaveLength(2)
})

test('an unsettled message returns after a delay, so it does not spin', async () => {
  const error = vi.fn<(fields: object, message: string) => void>()
  const memory = createMemory({ logger: { ...silentLogger, error } })
  const { queue } = memory.messaging()
  const seen: (readonly [boolean, number])[] = []
  const fail = async ({ redelivered, releases }: Delivery): Promise<void> => {
    seen.push([redelivered, releases])
    if (seen.length === 1) throw new Error('a careless handler')
  }
  await queue.consume('default', fail, { slots: 1, mode: 'parallel' })
  await queue.send('default', message(1))
  await settle()
  expect(seen).toEqual([[false, 0]])
  expect(error).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(250)
  expect(seen).toEqual([
    [false, 0],
    [true, 1],
    [true, 2],
  ])
})

test('only the first settlement counts', async () => {
  const memory = quiet()
  const { queue } = memory.messaging()
  const { runs, run, consume } = recorder()
  await consume(queue, 'a', 3)
  for (const number of [1, 2, 3]) await queue.send('default', message(number))
  await settle()
  for (const index of [0, 1, 2]) await run(index).delivery.accept()
  for (const index of [0, 1, 2]) await run(index).delivery.release()
  for (const index of [0, 1, 2]) await run(index).delivery.reject('too late')
  for (const index of [0, 1, 2]) run(index).end()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(runs).toHaveLength(3)
  expect(memory.inspect().queues).toEqual({ default: { waiting: 0, delayed: 0, running: 0, deadLetters: 0 } })
})

test('a message released with a delay returns in time, even after its client is closed', async () => {
  const memory = quiet()
  const [one, other] = [memory.messaging(), memory.messaging()]
  const { run, runs, consume } = recorder()
  await consume(one.queue, 'a', 1)
  await one.queue.send('default', message(1))
  await settle()
  await run(0).delivery.release({ delayMs: 5_000 })
  run(0).end()
  await one.close()
  // Without a consumer there is no timer that would keep the process running.
  expect(vi.getTimerCount()).toBe(0)
  expect(memory.inspect().queues['default']).toMatchObject({ waiting: 0, delayed: 1 })
  await vi.advanceTimersByTimeAsync(3_000)
  await consume(other.queue, 'b', 1)
  await vi.advanceTimersByTimeAsync(1_999)
  expect(runs).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(run(1)).toMatchObject({ consumer: 'b', delivery: { redelivered: true, releases: 1 } })
})

test('a message that became due without a consumer is delivered to the next consumer at once', async () => {
  const memory = quiet()
  const { queue } = memory.messaging()
  const { run, consume } = recorder()
  const first = await consume(queue, 'a', 1)
  await queue.send('default', message(1))
  await settle()
  await run(0).delivery.release({ delayMs: 5_000 })
  run(0).end()
  await first.close()
  await vi.advanceTimersByTimeAsync(60_000)
  await consume(queue, 'b', 1)
  await settle()
  expect(run(1).consumer).toBe('b')
})

test('a serial queue runs one message at a time over all clients, also while a client closes', async () => {
  const memory = quiet()
  const [one, other] = [memory.messaging(), memory.messaging()]
  const { runs, run, consume } = recorder()
  await consume(one.queue, 'a', 5, 'serial')
  for (const number of [1, 2, 3]) await one.queue.send('default', message(number))
  await settle()
  await consume(other.queue, 'b', 5, 'serial')
  await run(0).delivery.accept()
  const closing = one.close()
  await settle()
  expect(runs).toHaveLength(1)
  run(0).end()
  await closing
  await settle()
  expect(runs.map(({ consumer }) => consumer)).toEqual(['a', 'b'])
})

test('the unsettled messages of a killed client go to other clients, in order, and its handlers settle nothing', async () => {
  const memory = quiet()
  const [one, other] = [memory.messaging(), memory.messaging()]
  const { runs, run, consume } = recorder()
  await consume(one.queue, 'a', 3)
  for (const number of [1, 2, 3, 4]) await one.queue.send('default', message(number))
  await settle()
  await run(1).delivery.accept()
  memory.faults.kill(one)
  await expect(one.queue.send('default', message(5))).rejects.toMatchObject({ code: 'CLOSED' })
  await consume(other.queue, 'b', 5)
  await settle()
  expect(runs.slice(3).map(({ taskId, delivery }) => [taskId, delivery.redelivered])).toEqual([
    [taskIdOf(1), true],
    [taskIdOf(3), true],
    [taskIdOf(4), false],
  ])
  await run(0).delivery.reject('from beyond')
  await run(2).delivery.release()
  for (const index of [0, 1, 2]) run(index).end()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(memory.inspect().queues).toEqual({ default: { waiting: 0, delayed: 0, running: 3, deadLetters: 0 } })
})

test('a serial queue goes to the next client when its holder is killed', async () => {
  const memory = quiet()
  const [one, other] = [memory.messaging(), memory.messaging()]
  const { runs, run, consume } = recorder()
  await consume(one.queue, 'a', 1, 'serial')
  await consume(other.queue, 'b', 1, 'serial')
  await one.queue.send('default', message(1))
  await settle()
  expect(run(0).consumer).toBe('a')
  memory.faults.kill(one)
  await settle()
  expect(run(1)).toMatchObject({ consumer: 'b', taskId: taskIdOf(1) })
  // The end of a handler of the killed client must not free the slot of another one.
  await one.queue.close()
  await other.queue.send('default', message(2))
  run(0).end()
  await settle()
  expect(runs).toHaveLength(2)
})

test('close waits for the handlers, which may still settle, and their unsettled messages go to other clients first', async () => {
  const memory = quiet()
  const [one, other] = [memory.messaging(), memory.messaging()]
  const { runs, run, consume } = recorder()
  await consume(one.queue, 'a', 2)
  for (const number of [1, 2, 3]) await one.queue.send('default', message(number))
  await settle()
  let closed = 0
  const closing = [one.close().then(() => closed++), one.close().then(() => closed++)]
  await settle()
  expect([runs.length, closed]).toEqual([2, 0])
  await run(0).delivery.accept()
  run(0).end()
  run(1).end()
  await Promise.all(closing)
  await consume(other.queue, 'b', 5)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(runs.slice(2).map(({ taskId }) => taskId)).toEqual([taskIdOf(2), taskIdOf(3)])
})

const lettersOf = async (queue: WorkQueue, name: string): Promise<readonly DeadLetter[]> => {
  const letters: DeadLetter[] = []
  for await (const letter of queue.deadLetters(name)) letters.push(letter)
  return letters
}

test('text that cannot be decoded and rejected messages are dead-lettered with the reason', async () => {
  const memory = quiet()
  const { queue } = memory.messaging()
  const { run, runs, consume } = recorder()
  await consume(queue, 'a', 1)
  memory.faults.injectMessage('default', 'no message')
  await queue.send('default', message(1))
  await settle()
  await run(0).delivery.reject('of no use')
  run(0).end()
  await settle()
  expect(runs).toHaveLength(1)
  const letters = await lettersOf(queue, 'default')
  expect(letters).toMatchObject([
    { text: 'no message', why: 'message is not JSON', releases: 0 },
    { text: JSON.stringify({ v: 1, ...message(1) }), message: message(1), why: 'of no use' },
  ])
  expect(letters[0]?.message).toBeUndefined()
  expect(await lettersOf(queue, 'another')).toEqual([])
})

test('queues do not mix', async () => {
  const { queue } = quiet().messaging()
  const { runs, consume } = recorder()
  await consume(queue, 'a', 1)
  await queue.send('another', message(1))
  await settle()
  expect(runs).toHaveLength(0)
})
