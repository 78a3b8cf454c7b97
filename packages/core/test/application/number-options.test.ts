import type {
  DeclareOptions,
  DoctorOptions,
  ListQuery,
  SubmitOptions,
  TaskManager,
  TaskManagerOptions,
  TaskWorkerOptions,
  WaitOptions,
} from '@taskledger/core'
import { createTaskManager, defineTask, isMisuse } from '@taskledger/core'
import { silentLogger } from '@taskledger/core/ports'
import type { CheckHistoryOptions, RunTaskOptions } from '@taskledger/core/testing'
import { checkHistory, runTask, testManager, virtualClock } from '@taskledger/core/testing'
import { describe, expect, it } from 'vitest'
import type { NumberOptions } from '../../../../tools/number-options.ts'
import { oddNumbers, withNumber } from '../../../../tools/number-options.ts'

const greet = defineTask({ type: 'greet', run: () => 'hello' })

/** Uses a manager, and closes it. */
const withManager = async (options: object, use: (manager: TaskManager) => Promise<unknown>): Promise<void> => {
  const manager = await createTaskManager({ tasks: [greet], logger: silentLogger, ...options })
  try {
    await use(manager)
  } finally {
    await manager.close({ drainMs: 0 })
  }
}

/** Runs a task to its end: what a manager is for works. */
const greeted = async (manager: TaskManager, task = greet): Promise<void> => {
  const handle = await manager.submit(task)
  expect(await handle.result({ timeoutMs: 20_000 })).toBe('hello')
}

/** Uses a call with one option, and resolves if the call works. */
type Use = (name: string, value: number) => Promise<unknown>

/** The names of options, each once. The compiler asks for every one. */
const namesOf = <Name extends string>(names: Readonly<Record<Name, true>>): readonly string[] => Object.keys(names)

type ManagerNumbers = NumberOptions<Omit<TaskManagerOptions, 'tasks' | 'storage' | 'messaging' | 'logger' | 'clock' | 'random'>>

const calls: readonly (readonly [call: string, names: readonly string[], use: Use])[] = [
  [
    'createTaskManager',
    [
      ...namesOf<ManagerNumbers>({
        maxPayloadBytes: true,
        callTimeoutMs: true,
        commandTimeoutMs: true,
        'lease.renewMs': true,
        'lease.ttlMs': true,
        'janitor.intervalMs': true,
        'janitor.overdueMs': true,
        'retention.finishedMs': true,
        'worker.slots': true,
        'worker.drainMs': true,
        'worker.cancelGraceMs': true,
        'worker.progressIntervalMs': true,
        'worker.unknownTasks.retryDelayMs': true,
        'worker.unknownTasks.maxReleases': true,
      }),
      'worker.queues.default.slots',
    ],
    (name, value) => withManager(withNumber(name, value), (manager) => greeted(manager)),
  ],
  [
    'attachWorker',
    namesOf<NumberOptions<TaskWorkerOptions>>({
      slots: true,
      drainMs: true,
      cancelGraceMs: true,
      progressIntervalMs: true,
      'unknownTasks.retryDelayMs': true,
      'unknownTasks.maxReleases': true,
    }),
    (name, value) =>
      withManager({ worker: false }, async (manager) => {
        await manager.attachWorker(withNumber(name, value))
        await greeted(manager)
      }),
  ],
  [
    'defineTask',
    namesOf<NumberOptions<Omit<DeclareOptions, 'payload' | 'result' | 'progress' | 'upcast'>>>({
      version: true,
      timeoutMs: true,
      'retry.maxAttempts': true,
      'retry.maxCrashes': true,
      'retry.backoff.initialMs': true,
      'retry.backoff.factor': true,
      'retry.backoff.maxMs': true,
      'retry.backoff.jitter': true,
    }),
    async (name, value) => {
      const task = defineTask({ type: 'greet', run: () => 'hello', ...withNumber(name, value) })
      await withManager({ tasks: [task] }, (manager) => greeted(manager, task))
    },
  ],
  [
    'submit',
    namesOf<NumberOptions<Omit<SubmitOptions, 'signal' | 'retryOf'>>>({ delayMs: true, notBefore: true }),
    (name, value) =>
      withManager({}, async (manager) => {
        const handle = await manager.submit(greet, undefined, withNumber(name, value))
        expect(['waiting', 'inProgress', 'completed']).toContain((await handle.details()).status)
      }),
  ],
  [
    'result',
    namesOf<NumberOptions<Omit<WaitOptions, 'signal'>>>({ timeoutMs: true }),
    (name, value) =>
      withManager({}, async (manager) => {
        const handle = await manager.submit(greet)
        await handle.result({ timeoutMs: 20_000 })
        expect(await handle.result(withNumber(name, value))).toBe('hello')
      }),
  ],
  [
    'list',
    namesOf<NumberOptions<Omit<ListQuery, 'signal'>>>({ limit: true, since: true, until: true }),
    (name, value) => withManager({}, (manager) => manager.list(withNumber(name, value))),
  ],
  [
    'doctor',
    namesOf<NumberOptions<Omit<DoctorOptions, 'signal'>>>({ limit: true }),
    (name, value) => withManager({}, (manager) => manager.doctor(withNumber(name, value))),
  ],
  ['purge', ['finishedBefore'], (_name, finishedBefore) => withManager({}, (manager) => manager.purge({ finishedBefore }))],
  [
    'close',
    ['drainMs'],
    async (_name, drainMs) => {
      const manager = await createTaskManager({ tasks: [greet], logger: silentLogger })
      try {
        await manager.close({ drainMs })
      } finally {
        await manager.close()
      }
    },
  ],
  ['worker.close', ['drainMs'], (_name, drainMs) => withManager({}, async (manager) => manager.worker?.close({ drainMs }))],
  [
    'runTask',
    namesOf<NumberOptions<Omit<RunTaskOptions<never>, 'signal' | 'logger' | 'clock' | 'lastProgress'>>>({
      cancelAfterMs: true,
      cancelGraceMs: true,
      attempt: true,
      fence: true,
    }),
    async (name, value) => expect((await runTask(greet, undefined, withNumber(name, value))).ended).toBe('returned'),
  ],
  [
    'settled',
    ['withinMs'],
    async (_name, withinMs) => {
      await using test = await testManager({ tasks: [greet] })
      await test.manager.submit(greet)
      await test.advance(100)
      await test.settled(withinMs)
    },
  ],
  ['advance', ['ms'], (_name, ms) => virtualClock().advance(ms)],
  [
    'checkHistory',
    namesOf<NumberOptions<CheckHistoryOptions>>({ clockSkewMs: true }),
    async (name, value) => expect(checkHistory([], withNumber(name, value))).toEqual([]),
  ],
  ['virtualClock', ['startAt'], async (_name, startAt) => expect(virtualClock(startAt).now()).toBe(startAt)],
]

describe.each(calls)('%s', (_call, names, use) => {
  it.for(names.flatMap((name) => oddNumbers.map((odd) => [name, odd] as const)))(
    '%s: %d works, or is refused with what is allowed',
    { timeout: 60_000 },
    async ([name, odd]) => {
      try {
        await use(name, odd)
      } catch (error) {
        expect(error).toSatisfy(isMisuse)
        // "NAME is VALUE: give …", with a bound.
        expect(error).toHaveProperty('message', expect.stringContaining(String(odd)))
        expect(error).toHaveProperty('message', expect.stringMatching(/: give .*\d/))
      }
    },
  )
})
