import type { TaskHandle, TaskManager, TaskManagerOptions } from '@taskledger/core'
import {
  createTaskManager,
  declareTask,
  defineTask,
  implementTask,
  isMisuse,
  silentLogger,
  taskRegistry,
  unchecked,
} from '@taskledger/core'
import { checkHistory, runTask, testManager, virtualClock } from '@taskledger/core/testing'
import { createMemory } from '@taskledger/memory'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** What a caller in JavaScript may pass: the types do not stop it. */
const any = (value: unknown): never => value as never

const render = defineTask({ type: 'render', payload: unchecked<unknown>(), run: () => {} })
let manager: TaskManager
let handle: TaskHandle<unknown, unknown>

beforeAll(async () => {
  manager = await createTaskManager({ tasks: [render], worker: false, logger: silentLogger })
  handle = await manager.submit(render, 1)
})
afterAll(() => manager.close())

/** The message of the misuse that a call ends with, thrown at once or later. */
const refusalOf = async (call: () => unknown): Promise<string> => {
  try {
    await call()
  } catch (error) {
    expect(error).toMatchObject({ code: 'MISUSE' })
    expect(isMisuse(error)).toBe(true)
    return (error as Error).message
  }
  throw new Error('the call was not refused')
}

const make = (options: object) => createTaskManager(any({ tasks: [render], logger: silentLogger, ...options }))
const submit = (options: unknown) => manager.submit(render, 1, any(options))

describe('an option with a wrong name is refused with the right one', () => {
  it.each<[string, () => unknown, string]>([
    ['workers', () => make({ workers: {} }), 'createTaskManager has no option "workers": did you mean worker?'],
    ['a slot', () => make({ worker: { slot: 3 } }), 'worker has no option "slot": did you mean slots?'],
    ['a concurrency', () => make({ worker: { concurrency: 3 } }), 'worker has no option "concurrency": did you mean slots?'],
    ['slots', () => make({ slots: 3 }), 'createTaskManager has no option "slots": give worker: { slots }'],
    ['a ttl', () => make({ lease: { ttl: 3 } }), 'lease has no option "ttl": did you mean ttlMs?'],
    ['an interval', () => make({ janitor: { interval: 3 } }), 'janitor has no option "interval": did you mean intervalMs?'],
    ['finished', () => make({ retention: { finished: 3 } }), 'retention has no option "finished": did you mean finishedMs?'],
    [
      'a concurrency of a queue',
      () => make({ worker: { queues: { default: { concurrency: 3 } } } }),
      'worker.queues.default has no option "concurrency": did you mean slots?',
    ],
    ['a delay', () => submit({ delay: 3 }), 'submit has no option "delay": did you mean delayMs?'],
    ['a label', () => submit({ label: 'a' }), 'submit has no option "label": did you mean labels?'],
    ['a jobId', () => submit({ jobId: 'a' }), 'submit has no option "jobId": did you mean idempotencyKey?'],
    ['a priority', () => submit({ priority: 1 }), 'submit has no option "priority": priorities are not supported'],
    [
      'attempts',
      () => submit({ attempts: 3 }),
      'submit has no option "attempts": it belongs to the task: give retry.maxAttempts to defineTask',
    ],
    [
      'one key for many',
      () => manager.submitMany(render, [1, 2], any({ idempotencyKey: 'a' })),
      'submitMany has no option "idempotencyKey": one key is one task',
    ],
    ['states', () => manager.list(any({ states: 'waiting' })), 'list has no option "states": did you mean status?'],
    ['labels', () => manager.list(any({ labels: ['a'] })), 'list has no option "labels": did you mean label?'],
    ['an offset', () => manager.list(any({ offset: 3 })), 'list has no option "offset": pages are read in order'],
    ['a limit of all tasks', () => manager.tasks(any({ limit: 3 })).next(), 'tasks has no option "limit": it reads every page'],
    ['a timeout', () => handle.result(any({ timeout: 3 })), 'a wait has no option "timeout": did you mean timeoutMs?'],
    ['a timeout of an end', () => handle.finished(any({ timeout: 3 })), 'a wait has no option "timeout": did you mean timeoutMs?'],
    ['reasons', () => handle.cancel(any({ reasons: 'x' })), 'cancel has no option "reasons": did you mean reason?'],
    ['options of details', () => handle.details(any({ timeoutMs: 3 })), 'details has no option "timeoutMs"'],
    ['options of a progress', () => handle.progress(any({ timeoutMs: 3 })), 'details has no option "timeoutMs"'],
    ['options of a history', () => handle.history(any({ limit: 3 })), 'history has no option "limit"'],
    ['options of a watch', () => handle.watch(any({ timeoutMs: 3 })), 'watch has no option "timeoutMs"'],
    ['options of nodes', () => manager.nodes(any({ limit: 3 })), 'nodes has no option "limit"'],
    ['a maximum of findings', () => manager.doctor(any({ max: 3 })), 'doctor has no option "max": its options are signal, limit'],
    ['before', () => manager.purge(any({ before: new Date() })), 'purge has no option "before": did you mean finishedBefore?'],
    ['options of a rebuild', () => manager.rebuildListing(any({ since: 3 })), 'rebuildListing has no option "since"'],
    ['a timeout of a close', () => manager.close(any({ timeoutMs: 3 })), 'close has no option "timeoutMs"'],
    [
      'a body of a declaration',
      () => declareTask(any({ type: 'x', run() {} })),
      'declareTask has no option "run": a declaration has no body',
    ],
    [
      'options of a body',
      () => implementTask(declareTask({ type: 'x' }), () => {}, any({ retry: 3 })),
      'implementTask has no option "retry"',
    ],
    ['options of a run', () => runTask(render, 1, any({ timeoutMs: 3 })), 'runTask has no option "timeoutMs"'],
    [
      'options of a test',
      () => testManager(any({ tasks: [], workers: {} })),
      'createTaskManager has no option "workers": did you mean worker?',
    ],
    [
      'queues of dead letters',
      () => manager.deadLetters.list(any({ queues: ['a'] })),
      'deadLetters.list has no option "queues": did you mean queue?',
    ],
    [
      'options of a resend',
      () => manager.deadLetters.resend({ queue: 'a', id: 'b' }, any({ force: true })),
      'deadLetters.resend has no option "force"',
    ],
    ['options of a memory', () => createMemory(any({ log: console })), 'createMemory has no option "log": did you mean logger?'],
  ])('%s', async (_what, call, message) => {
    expect(await refusalOf(call)).toContain(message)
  })
})

describe('a wrong value is refused with what is expected', () => {
  it.each<[string, () => unknown, string]>([
    ['a label that is text', () => submit({ labels: 'demo' }), 'labels is "demo": give a list of at most 32 texts'],
    ['a label that is a number', () => submit({ labels: [3] }), 'a label is 3: give a text of 1 to 200 characters'],
    ['no time', () => submit({ notBefore: null }), 'notBefore is null: give a Date, milliseconds since 1970, or ISO text'],
    ['an invalid date', () => submit({ notBefore: new Date(Number.NaN) }), 'notBefore is an invalid Date: give a Date'],
    ['options that were not awaited', () => submit(Promise.resolve({ delayMs: 5 })), 'the options of submit are a Promise: await it first'],
    ['a word as a time', () => submit({ notBefore: 'tomorrow' }), 'notBefore is "tomorrow": give a Date'],
    ['a time without a zone', () => submit({ notBefore: '2030-01-31T08:00' }), 'notBefore is "2030-01-31T08:00": give a Date'],
    ['a day that does not exist', () => submit({ notBefore: '2030-02-30' }), 'notBefore is "2030-02-30": give a Date'],
    ['options that are null', () => submit(null), 'the options of submit are null: give an object'],
    ['options that are text', () => submit('nightly'), 'the options of submit are "nightly": give an object'],
    ['a delay that is text', () => submit({ delayMs: '5s' }), 'delayMs is "5s": give milliseconds'],
    ['an order number as the id of a task', () => submit({ retryOf: 'ORDER-17' }), 'retryOf is "ORDER-17": give the id of a task'],
    ['a key that is a number', () => submit({ idempotencyKey: 17 }), 'idempotencyKey is 17: give a text'],
    ['a key with half of a surrogate pair', () => submit({ idempotencyKey: 'a\ud800' }), 'half of a surrogate pair'],
    [
      'a controller as a signal',
      () => submit({ signal: new AbortController() }),
      'signal is an object: give the signal of the AbortController',
    ],
    ['the name of a task', () => manager.submit(any('render'), any(1)), 'a task is "render": give what defineTask or declareTask returns'],
    ['no task', () => manager.submit(any(undefined), any(1)), 'a task is undefined: give what defineTask or declareTask returns'],
    [
      'a copy of a task with a wrong time',
      () => manager.submit({ ...render, timeoutMs: any('5s') }, 1),
      'the task type "render": timeoutMs is "5s": give milliseconds',
    ],
    [
      'a copy of a task with half a version',
      () => manager.submit({ ...render, version: 1.5 }, 1),
      'the task type "render": version is 1.5: give a whole number',
    ],
    ['a copy of a task with a long queue', () => manager.submit({ ...render, queue: 'q'.repeat(300) }, 1), 'give 1 to 100 letters'],
    [
      'a copy of a task without a retry',
      () => manager.submit({ ...render, retry: any({ maxAttempts: 1 }) }, 1),
      'give a whole retry policy',
    ],
    ['one payload for many', () => manager.submitMany(render, any('abc')), 'payloads is "abc": give an array'],
    ['a task as a query', () => manager.tasks(any(render)).next(), 'tasks was given a task: give a query, { type: task.type }'],
    ['a task as a query of a page', () => manager.list(any(render)), 'list was given a task: give a query, { type: task.type }'],
    ['a query that is null', () => manager.list(any(null)), 'the options of list are null: give an object'],
    ['a status that is none', () => manager.list(any({ status: 'done' })), 'status is "done": give one of waiting, inProgress'],
    ['a status that is a number', () => manager.list(any({ status: [1] })), 'status is 1: give one of waiting'],
    ['a cursor that is a number', () => manager.list(any({ cursor: 3 })), 'cursor is 3: give the cursor of the page before'],
    ['a limit that is text', () => manager.list(any({ limit: '50' })), 'limit is "50": give a whole number'],
    ['a purge of everything', () => manager.purge(any({})), 'finishedBefore is undefined: give the time'],
    ['a purge without options', () => manager.purge(any(undefined)), 'finishedBefore is undefined: give the time'],
    ['a wait that is null', () => handle.result(any(null)), 'the options of a wait are null: give an object'],
    ['a reason that is an object', () => handle.cancel(any({ reason: {} })), 'reason is an object: give a text'],
    ['a listener that is none', () => manager.subscribe(any({})), 'the listener of subscribe is an object: give a function'],
    ['a task instead of tasks', () => make({ tasks: render }), 'tasks is an object: give an array of tasks'],
    ['no tasks', () => createTaskManager(any({})), 'tasks is undefined: give an array of tasks'],
    ['no options', () => createTaskManager(any(null)), 'the options of createTaskManager are null: give an object'],
    ['a hole among the tasks', () => make({ tasks: [, render] }), 'a task is undefined: give what defineTask'], // oxlint-disable-line no-sparse-arrays
    ['a function as storage', () => make({ storage: createMemory().storage }), 'storage is a function: give what an adapter returns'],
    ['a memory as storage', () => make({ storage: createMemory() }), 'storage is an object: give what an adapter returns'],
    ['storage as messaging', () => make({ messaging: createMemory().storage() }), 'messaging is an object: give what an adapter returns'],
    ['a worker that is true', () => make({ worker: true }), 'worker is true: give an object of slots, queues'],
    ['queues in a map', () => make({ worker: { queues: new Map([['default', {}]]) } }), 'worker.queues is a Map: give an object'],
    ['a worker that is null', () => make({ worker: null }), 'worker is null: give an object of slots, queues'],
    ['slots without their name', () => make({ worker: { queues: { default: 10 } } }), 'worker.queues.default is 10: give { slots: 10 }'],
    [
      'queues that are a list',
      () => make({ worker: { queues: ['default'] } }),
      'worker.queues is an array: give an object with the settings',
    ],
    [
      'an odd queue',
      () => make({ worker: { queues: { 'my queue': {} } } }),
      'worker.queues: the name of a queue is "my queue": give 1 to 100',
    ],
    ['a worker of no queue', () => make({ worker: { queues: {} } }), 'worker.queues is empty, so the worker would take nothing'],
    ['a worker without a body', () => make({ tasks: [], worker: {} }), 'the worker would take from no queue'],
    [
      'a worker for declared tasks',
      () => make({ tasks: [declareTask({ type: 'x' })], worker: { slots: 3 } }),
      'the worker would take from no queue',
    ],
    ['a lease that is null', () => make({ lease: null }), 'lease is null: give an object of renewMs, ttlMs'],
    ['a janitor that is false', () => make({ janitor: false }), 'janitor is false: give an object of intervalMs, overdueMs'],
    ['a retention that is a number', () => make({ retention: 3 }), 'retention is 3: give an object of finishedMs'],
    ['a logger that is a function', () => make({ logger: () => {} }), 'logger is a function: give an object with the methods debug'],
    [
      'a clock that shows text',
      () => make({ clock: { ...virtualClock(), now: () => '12:00' } }),
      'clock.now() is "12:00": give a clock that shows milliseconds since 1970',
    ],
    [
      'a clock that shows no number',
      () => make({ clock: { ...virtualClock(), elapsed: () => Number.NaN } }),
      'clock.elapsed() is NaN: give a clock that shows milliseconds',
    ],
    ['a clock that is no clock', () => make({ clock: Date }), 'clock is a function: give an object with the methods now'],
    ['random numbers that are one', () => make({ random: 3 }), 'random is 3: give a function'],
    ['a name that is a number', () => make({ name: 3 }), 'name is 3: give a text'],
    ['a declaration without options', () => declareTask(any(undefined)), 'the type of a task is undefined: give a text'],
    ['a definition that is null', () => defineTask(any(null)), 'the options of defineTask are null: give an object'],
    [
      'a body for nothing',
      () => implementTask(any(undefined), () => {}),
      'the task to implement is undefined: give what declareTask returns',
    ],
    ['a registry of one task', () => taskRegistry(any(render)), 'tasks is an object: give an array of tasks'],
    ['a run of a declaration', () => runTask(any(declareTask({ type: 'x' }))), 'the task to run is an object: give what defineTask'],
    ['a test on real time', () => testManager({ tasks: [], clock: any(Date) }), 'clock is a function: give what virtualClock returns'],
    ['a start that is a date', () => virtualClock(any(new Date())), 'the start of a virtual clock is a Date: give milliseconds'],
    ['dead letters of no queue', () => manager.deadLetters.resendAll(any(undefined)), 'queue is undefined: give 1 to 100 letters'],
    ['dead letters of null', () => manager.deadLetters.list(any(null)), 'the options of deadLetters.list are null: give an object'],
    ['no dead letter', () => manager.deadLetters.get(any('x')), 'the dead letter is "x": give an object with its queue and its id'],
    [
      'the name of a task of a handle',
      () => manager.task(any('render'), handle.id),
      'the task of a handle is "render": give what defineTask',
    ],
    ['a test without options', () => testManager(any(undefined)), 'tasks is undefined: give an array of tasks'],
    [
      'a check without its time',
      () => checkHistory([], any({ skewMs: 3 })),
      'checkHistory has no option "skewMs": did you mean clockSkewMs?',
    ],
    ['a memory that is null', () => createMemory(any(null)), 'the options of createMemory are null: give an object'],
  ])('%s', async (_what, call, message) => {
    expect(await refusalOf(call)).toContain(message)
  })
})

it('adapters that were opened are closed if the options are wrong', async () => {
  const memory = createMemory()
  const [storage, messaging] = [memory.storage(), memory.messaging()]
  await refusalOf(() => make({ storage, messaging, workers: {} }))
  const closed = expect.objectContaining({ code: 'CLOSED' }) as Error
  expect(() => messaging.bus.subscribe(() => {})).toThrow(closed)
  await expect(storage.nodes.live()).rejects.toEqual(closed)
})

describe('a time', () => {
  const at = Date.UTC(2030, 0, 31, 8)

  it.each<[string, unknown, number]>([
    ['a Date', new Date(at), at],
    ['milliseconds', at, at],
    ['ISO text in UTC', '2030-01-31T08:00:00Z', at],
    ['ISO text with milliseconds', '2030-01-31T08:00:00.250Z', at + 250],
    ['ISO text with an offset', '2030-01-31T10:00:00+02:00', at],
    ['ISO text of minutes', '2030-01-31T08:00Z', at],
    ['a day, which begins in UTC', '2030-01-31', Date.UTC(2030, 0, 31)],
    ['a part of a millisecond, which is rounded up', at + 0.25, at + 1],
  ])('may be %s', async (_what, notBefore, expected) => {
    const task = await submit({ notBefore })
    expect((await task.details()).dueAt).toBe(expected)
    const { tasks } = await manager.list({ since: any(notBefore), limit: 1 })
    expect(tasks).toEqual([])
  })
})

it('an option that is undefined is left out, whatever its type', async () => {
  const nothing: Partial<TaskManagerOptions> = {
    storage: undefined,
    worker: undefined,
    lease: undefined,
    logger: undefined,
    name: undefined,
  }
  await (await createTaskManager({ tasks: [render], ...nothing })).close()
  await submit({
    labels: undefined,
    notBefore: undefined,
    delayMs: undefined,
    retryOf: undefined,
    idempotencyKey: undefined,
    signal: undefined,
  })
})
