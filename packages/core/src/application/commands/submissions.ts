import type { JsonValue } from '../../domain/json.ts'
import type { CreateTask } from '../../domain/task-command.ts'
import type { EncodedTask } from '../../domain/task-event.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { CallOptions } from '../../ports/call-options.ts'
import type { Clock } from '../../ports/shared/clock.ts'
import { misuse } from '../../ports/shared/errors.ts'
import { within } from '../../ports/shared/within.ts'
import { restoredPayload } from '../../tasks/restored-payload.ts'
import type { TaskDeclaration } from '../../tasks/task-factory.ts'
import type { TaskRegistry } from '../../tasks/task-registry.ts'
import { toJson } from '../../tasks/to-json.ts'
import type { Aggregate } from './aggregate.ts'
import { noTask } from './aggregate.ts'
import { IdempotencyMismatch, SubmitIncomplete, SubmitUnknown } from '../node/errors.ts'
import type { EventSourcing } from './event-sourcing.ts'
import { declarationOf } from './known-task.ts'
import { checkMs, checkText } from '../../ports/shared/checks.ts'
import { timeOf } from '../node/checks.ts'
import type { NodeContext } from '../node/context.ts'
import { commandBase } from '../node/context.ts'
import type { Persistence } from '../node/retrying.ts'
import { mayPass, persist } from '../node/retrying.ts'
import type { Publisher } from './publisher.ts'
import type { Sender } from './sender.ts'
import type { TaskIds } from './task-ids.ts'
import { taskIdOfKey } from './task-ids.ts'

/** How a task is submitted. */
export interface SubmitOptions extends CallOptions {
  /**
   * Identifies one task of the type for as long as the task is kept: a second submit with the same key returns the first task. 1 to 500
   * characters.
   */
  readonly idempotencyKey?: string | undefined
  /** The task starts at this time or later: a `Date`, or milliseconds since 1970. */
  readonly notBefore?: Date | number | undefined
  /** The task starts this long after the call of `submit` or later, in milliseconds. Not together with `notBefore`. */
  readonly delayMs?: number | undefined
  /** Labels to list the task by: at most 32, each of 1 to 200 characters. */
  readonly labels?: readonly string[] | undefined
  /** The id of the task that this one retries. Kept with the task, and without effect on it. */
  readonly retryOf?: TaskId | undefined
}

/** A task whose payload is checked and encoded, and of which nothing is written yet. */
interface Prepared {
  readonly task: TaskDeclaration
  readonly create: Omit<CreateTask, 'eventIds' | 'at'>
}

/** The task of a submit, once the task is durable. */
export interface Submitted {
  readonly taskId: TaskId
  /** Whether this submit created the task. */
  readonly isNew: boolean
}

/** How many submits of a `submitMany` are under way at a time. */
const submitWindow = 64

/** Creates tasks. */
export class Submissions {
  readonly #node: NodeContext
  readonly #eventSourcing: EventSourcing
  readonly #publisher: Publisher
  readonly #sender: Sender
  readonly #registry: TaskRegistry
  readonly #ids: TaskIds
  readonly #maxPayloadBytes: number

  constructor(parts: {
    readonly node: NodeContext
    readonly eventSourcing: EventSourcing
    readonly publisher: Publisher
    readonly sender: Sender
    readonly registry: TaskRegistry
    readonly ids: TaskIds
    readonly maxPayloadBytes: number
  }) {
    this.#node = parts.node
    this.#eventSourcing = parts.eventSourcing
    this.#publisher = parts.publisher
    this.#sender = parts.sender
    this.#registry = parts.registry
    this.#ids = parts.ids
    this.#maxPayloadBytes = parts.maxPayloadBytes
  }

  async submitOne(task: TaskDeclaration, payload: unknown, options: SubmitOptions): Promise<Submitted> {
    return this.#submit(await this.#prepare(task, payload, options), options.signal)
  }

  /** @returns the tasks in the order of the payloads, once all are durable. Every payload is checked before the first is written. */
  async submitMany(task: TaskDeclaration, payloads: readonly unknown[], options: SubmitOptions): Promise<readonly Submitted[]> {
    const prepared = await Promise.all(payloads.map((payload) => this.#prepare(task, payload, options)))
    const failures: { index: number; error: unknown }[] = []
    const submitted: Submitted[] = []
    const rest = prepared.entries()
    const submitRest = async (): Promise<void> => {
      for (const [index, each] of rest) {
        try {
          submitted[index] = await this.#submit(each, options.signal)
        } catch (error) {
          failures.push({ index, error })
        }
      }
    }
    await Promise.all(Array.from({ length: submitWindow }, submitRest))
    if (failures.length > 0)
      throw new SubmitIncomplete(
        submitted.flatMap((each) => each.taskId),
        failures,
      )
    return submitted
  }

  /** Checks the options and encodes the payload; writes nothing. */
  async #prepare(task: TaskDeclaration, payload: unknown, options: SubmitOptions): Promise<Prepared> {
    this.#node.closed.throwIfAborted()
    options.signal?.throwIfAborted()
    declarationOf(this.#registry, task.type)
    // Copy what the caller could still change, before the first wait.
    const { idempotencyKey, retryOf } = options
    const labels = [...new Set(options.labels)]
    const notBefore = startOf(options, this.#node.clock)
    if (idempotencyKey !== undefined) checkText('idempotencyKey', idempotencyKey, 500)
    if (labels.length > 32) throw misuse(`labels has ${labels.length} entries: give 32 at most`)
    for (const label of labels) checkText('a label', label, 200)
    const taskId = idempotencyKey === undefined ? this.#ids.next() : taskIdOfKey(task.type, idempotencyKey)
    const encoded: JsonValue = toJson(await task.encode(payload), 'payload', this.#maxPayloadBytes)
    const create = {
      type: 'CreateTask',
      taskId,
      node: this.#node.nodeId,
      task: { type: task.type, version: task.version, payload: encoded },
      queue: task.queue,
      retry: task.retry,
      labels,
      ...(task.timeoutMs === undefined ? {} : { timeoutMs: task.timeoutMs }),
      ...(notBefore === undefined ? {} : { notBefore }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(retryOf === undefined ? {} : { retryOf }),
    } as const
    return { task, create }
  }

  /** Resolves once history and row are durable: then the task cannot be lost. */
  async #submit({ task, create }: Prepared, signal?: AbortSignal): Promise<Submitted> {
    const { taskId } = create
    const persistence: Persistence = { forMs: this.#node.commandTimeoutMs, signal }
    let isNew = false
    let isTaken = false
    try {
      const command: CreateTask = { ...create, ...commandBase(this.#node, taskId) }
      const { refused, aggregate } = await this.#eventSourcing.dispatch(command, { known: noTask, persistence, publish: 'never' })
      isNew = refused === undefined
      isTaken = !isNew && create.idempotencyKey === undefined
      if (!isNew && !isTaken) await checkSame({ task, create }, aggregate)
      if (!isTaken) await this.#publish(aggregate, persistence)
    } catch (error) {
      if (!mayPass(error) && !this.#node.closed.aborted) throw error
      throw error instanceof IdempotencyMismatch ? error : new SubmitUnknown(taskId, error)
    }
    // No idempotency key, so this is a collision of two random ids: submit again with a new id.
    return isTaken ? this.#submit({ task, create: { ...create, taskId: this.#ids.next() } }, signal) : { taskId, isNew }
  }

  /** Publishes row, message and notice, also of a task that exists already: a repeated submit completes an interrupted one. */
  async #publish({ details, created }: Aggregate, persistence: Persistence): Promise<void> {
    if (details === undefined || created === undefined) return
    // The message first: a worker may be waiting for it, and no caller waits for the notice yet.
    const steps = details.status === 'waiting' ? [this.#sender.send(details, details.version === 1 ? created : undefined)] : []
    steps.push(this.#publisher.announce(details.taskId, [created]))
    try {
      await persist(this.#node, persistence, (signal) => this.#publisher.saveRowNow(details, signal))
    } catch (error) {
      // The caller gets an error, but the task exists: the outbox has to list it.
      void this.#publisher.saveRow(details)
      throw error
    }
    // Wait for message and notice: this slows down a submitter that is faster than the engine. After an abort the task exists all the same.
    const published = Promise.all(steps)
    const { signal } = persistence
    await within(published, { signal }).catch((error: unknown) => {
      if (signal?.aborted !== true) throw error
    })
  }
}

/** The earliest start, in milliseconds since 1970; `undefined`: at once. */
const startOf = ({ notBefore, delayMs }: SubmitOptions, clock: Clock): number | undefined => {
  if (delayMs === undefined) return notBefore === undefined ? undefined : timeOf('notBefore', notBefore)
  if (notBefore !== undefined) throw misuse('notBefore and delayMs are both given: give one of them')
  return checkMs('delayMs', delayMs) === 0 ? undefined : clock.now() + delayMs
}

/** @throws `IDEMPOTENCY_MISMATCH` unless the key's task has the same payload, in the version of this submit. */
const checkSame = async ({ task, create }: Prepared, { created }: Aggregate): Promise<void> => {
  const { taskId, idempotencyKey = '' } = create
  let stored: JsonValue | undefined
  try {
    stored = created && (await storedNow(task, created.task))
  } catch (cause) {
    throw new IdempotencyMismatch(taskId, idempotencyKey, { cause })
  }
  if (stored === undefined || !isEqualJson(stored, create.task.payload)) throw new IdempotencyMismatch(taskId, idempotencyKey)
}

/** A stored payload as this version of the declaration would store it. */
const storedNow = async (task: TaskDeclaration, stored: EncodedTask): Promise<JsonValue> =>
  stored.version === task.version ? stored.payload : task.encode(await restoredPayload(task, stored))

/** Whether two values are the same JSON, whatever the order of their properties. */
const isEqualJson = (a: JsonValue, b: JsonValue): boolean => {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isEqualJson(at(a, key), at(b, key)))
}

const at = (value: object, key: string): JsonValue => (value as Readonly<Record<string, JsonValue>>)[key] as JsonValue
