import fc from 'fast-check'
import type { JsonValue } from '../../src/domain/json.ts'
import type { RetryPolicy } from '../../src/domain/retry-policy.ts'
import type { TaskCommand } from '../../src/domain/task-command.ts'
import type { TaskError, TaskEvent, TaskProgress } from '../../src/domain/task-event.ts'
import type { TaskId } from '../../src/domain/task-id.ts'

/** A time of the clocks that take part: they differ by at most {@link clockSpreadMs}. */
export const clockSpreadMs = 10_000
const firstAt = 1_704_067_200_000

export const time = fc.integer({ min: firstAt, max: firstAt + clockSpreadMs })
export const attempt = fc.integer({ min: 1, max: 6 })
/** The tokens are times, mostly. */
export const fence = fc.oneof(time, fc.integer({ min: 1, max: 3 }))
export const node = fc.constantFrom('node-a', 'node-b', 'node-c')
export const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
export const taskId = fc.uuid({ version: [4, 5, 7] }) as fc.Arbitrary<TaskId>
/** What comes back equal from JSON; so no minus zero. */
export const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as JsonValue)
export const text = fc.string({ unit: 'grapheme' })

/** A plain object, as JSON makes it. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> => fc.record(model, { noNullPrototype: true })

/** Properties that may be absent; never `undefined`. */
const maybe = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc.record(model, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Partial<T>>

/** One record of several. */
const all = <A extends object, B extends object>(a: fc.Arbitrary<A>, b: fc.Arbitrary<B>): fc.Arbitrary<A & B> =>
  fc.tuple(a, b).map(([first, second]) => ({ ...first, ...second }))

export const retryPolicy: fc.Arbitrary<RetryPolicy> = record({
  maxAttempts: fc.integer({ min: 1, max: 4 }),
  maxCrashes: fc.integer({ min: 0, max: 3 }),
  backoff: record({
    initialMs: fc.integer({ min: 0, max: 2_000 }),
    factor: fc.double({ min: 1, max: 10, noNaN: true }),
    maxMs: fc.integer({ min: 2_000, max: 60_000 }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }).map((jitter) => jitter + 0),
  }),
})

export const progress: fc.Arbitrary<TaskProgress> = record({ attempt, sequence: fc.nat(100), at: time, value: json })

export const error: fc.Arbitrary<TaskError> = all(
  record({ name: text, message: text }),
  maybe<{ stack: string; code: string }>({ stack: text, code: text }),
)

const createdData = all(
  record({
    task: record({ type: text, version: fc.integer({ min: 1, max: 9 }), payload: json }),
    queue: text,
    retry: retryPolicy,
    labels: fc.array(text, { maxLength: 3 }),
  }),
  maybe<{ timeoutMs: number; notBefore: number; idempotencyKey: string; retryOf: TaskId }>({
    timeoutMs: fc.integer({ min: 1, max: 100_000 }),
    notBefore: time,
    idempotencyKey: text,
    retryOf: taskId,
  }),
)

const settled = record({ attempt })
const withProgress = maybe<{ progress: TaskProgress }>({ progress })
const failure = record({ attempt, error })
const reason = maybe<{ reason: 'leaseLost' }>({ reason: fc.constant('leaseLost' as const) })
const retryAt = maybe<{ retryAt: number }>({ retryAt: time })

/** What an event of each type carries beside what every event does. */
const eventData: { [Type in TaskEvent['type']]: fc.Arbitrary<object> } = {
  TaskCreated: createdData,
  TaskStarted: all(settled, maybe<{ fence: number }>({ fence })),
  TaskCancelRequested: all(record({ by: text }), maybe<{ reason: string }>({ reason: text })),
  TaskCompleted: all(all(settled, withProgress), maybe<{ result: JsonValue }>({ result: json })),
  TaskFailed: all(all(failure, withProgress), retryAt),
  TaskCancelled: all(
    maybe<{ attempt: number; abandoned: boolean; error: TaskError }>({ attempt, abandoned: fc.boolean(), error }),
    withProgress,
  ),
  TaskDied: all(record({ attempt, diedOn: node }), all(all(reason, withProgress), retryAt)),
  TaskReleased: all(settled, all(reason, withProgress)),
}

/** Any event, with no regard to what came before. */
export const event: fc.Arbitrary<TaskEvent> = fc.oneof(
  ...Object.entries(eventData).map(([type, data]) =>
    all(record({ type: fc.constant(type), taskId, version: fc.integer({ min: 1, max: 99 }), eventId: fc.uuid(), at: time, node }), data),
  ),
) as fc.Arbitrary<TaskEvent>

/** What a command of each type carries beside what every command does. */
const commandData: { [Type in TaskCommand['type']]: fc.Arbitrary<object> } = {
  CreateTask: createdData,
  StartTask: maybe<{ fence: number }>({ fence }),
  CompleteTask: eventData.TaskCompleted,
  FailTask: all(all(failure, withProgress), record({ retryable: fc.boolean(), random })),
  RequestCancel: eventData.TaskCancelRequested,
  CancelTask: all(settled, all(maybe<{ abandoned: boolean; error: TaskError }>({ abandoned: fc.boolean(), error }), withProgress)),
  ReleaseTask: eventData.TaskReleased,
  DeclareDead: all(record({ attempt, diedOn: node, random }), withProgress),
}

const commandOf = (type: TaskCommand['type']): fc.Arbitrary<TaskCommand> =>
  all(
    record({
      type: fc.constant(type),
      taskId: fc.constant('018cc251-f400-7000-8000-000000000000'),
      at: time,
      node,
      eventIds: fc.tuple(fc.uuid(), fc.uuid()),
    }),
    commandData[type],
  ) as unknown as fc.Arbitrary<TaskCommand>

/** Any command, with no regard to what came before. Starts are more frequent, or little would ever run. */
export const command: fc.Arbitrary<TaskCommand> = fc.oneof(
  { weight: 4, arbitrary: commandOf('StartTask') },
  ...(Object.keys(commandData) as TaskCommand['type'][]).map((type) => ({
    weight: type === 'RequestCancel' ? 1 : 2,
    arbitrary: commandOf(type),
  })),
)

export const createTask: fc.Arbitrary<TaskCommand> = commandOf('CreateTask')
