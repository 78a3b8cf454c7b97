import type { JsonValue } from '../../domain/json.ts'
import type { CreateTask } from '../../domain/task-command.ts'
import type { TaskId } from '../../domain/task-id.ts'
import { wrongOption } from '../../ports/shared/checks.ts'
import { within } from '../../ports/shared/within.ts'
import { propertiesOfTask } from '../../tasks/check-declaration.ts'
import { restoredPayload } from '../../tasks/restored-payload.ts'
import type { TaskDeclaration } from '../../tasks/task-factory.ts'
import type { TaskRegistry } from '../../tasks/task-registry.ts'
import { toJson } from '../../tasks/to-json.ts'
import type { Aggregate } from './aggregate.ts'
import { noTask } from './aggregate.ts'
import { IdempotencyMismatch, SubmitIncomplete, SubmitUnknown } from '../node/errors.ts'
import type { EventSourcing } from './event-sourcing.ts'
import { firstEventIdOf } from './first-event-id.ts'
import { declarationOf } from './known-task.ts'
import type { NodeContext } from '../node/context.ts'
import { commandBase } from '../node/context.ts'
import type { Persistence } from '../node/retrying.ts'
import { mayPass, persist } from '../node/retrying.ts'
import type { Publisher } from './publisher.ts'
import type { Sender } from './sender.ts'
import type { CheckedSubmit, SubmitOptions } from './submit-options.ts'
import { startOf, submitManyOptions, submitOptions } from './submit-options.ts'
import type { TaskIds } from './task-ids.ts'
import { taskIdOfKey } from './task-ids.ts'

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
    const checked = submitOptions(options)
    return this.#submit(await this.#prepare(task, payload, checked), checked.signal)
  }

  /** @returns the tasks in the order of the payloads, once all are durable. Every payload is checked before the first is written. */
  async submitMany(task: TaskDeclaration, payloads: readonly unknown[], options: SubmitOptions): Promise<readonly Submitted[]> {
    const checked = submitManyOptions(options)
    if (!Array.isArray(payloads)) throw wrongOption('payloads', payloads, 'an array with the payload of each task')
    const prepared = await Promise.all(Array.from(payloads as readonly unknown[], (payload) => this.#prepare(task, payload, checked)))
    const failures: { index: number; error: unknown }[] = []
    const submitted: Submitted[] = []
    const rest = prepared.entries()
    const submitRest = async (): Promise<void> => {
      for (const [index, each] of rest) {
        try {
          submitted[index] = await this.#submit(each, checked.signal)
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

  /** Checks the task and encodes the payload; writes nothing. */
  async #prepare(task: TaskDeclaration, payload: unknown, options: CheckedSubmit): Promise<Prepared> {
    this.#node.closed.throwIfAborted()
    options.signal?.throwIfAborted()
    // Copies: the caller could still change the task.
    const { type, version, queue, retry, timeoutMs } = propertiesOfTask(task)
    declarationOf(this.#registry, type)
    const { idempotencyKey, retryOf, labels = [] } = options
    const notBefore = startOf(options, this.#node.clock)
    const taskId = idempotencyKey === undefined ? this.#ids.next() : taskIdOfKey(type, idempotencyKey)
    const encoded = await this.#encoded(task, payload)
    const create = {
      type: 'CreateTask',
      taskId,
      node: this.#node.nodeId,
      task: { type, version, payload: encoded },
      queue,
      retry,
      labels,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(notBefore === undefined ? {} : { notBefore }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(retryOf === undefined ? {} : { retryOf }),
    } as const
    return { task, create }
  }

  /** What is stored of a payload. */
  async #encoded(task: TaskDeclaration, payload: unknown): Promise<JsonValue> {
    const maxBytes = this.#maxPayloadBytes
    return toJson(await task.encode(payload, { maxBytes }), 'payload', maxBytes)
  }

  /** @throws `IDEMPOTENCY_MISMATCH` unless the key's task has the same payload, in the version of this submit. */
  async #checkSame({ task, create }: Prepared, { created }: Aggregate): Promise<void> {
    const { taskId, idempotencyKey = '' } = create
    let stored: JsonValue | undefined
    try {
      // As this version of the declaration would store it.
      if (created?.task.version === create.task.version) stored = created.task.payload
      else if (created !== undefined) stored = await this.#encoded(task, await restoredPayload(task, created.task))
    } catch (cause) {
      throw new IdempotencyMismatch(taskId, idempotencyKey, { cause })
    }
    if (stored === undefined || !isEqualJson(stored, create.task.payload)) throw new IdempotencyMismatch(taskId, idempotencyKey)
  }

  /** Resolves once history and row are durable: then the task cannot be lost. */
  async #submit({ task, create }: Prepared, signal?: AbortSignal): Promise<Submitted> {
    const { taskId } = create
    const persistence: Persistence = { forMs: this.#node.commandTimeoutMs, signal }
    let isNew = false
    let isTaken = false
    try {
      const command = withFirstEventId({ ...create, ...commandBase(this.#node, taskId) })
      const { refused, aggregate, dueInMs } = await this.#eventSourcing.dispatch(command, { known: noTask, persistence, publish: 'never' })
      isNew = refused === undefined
      isTaken = !isNew && create.idempotencyKey === undefined
      if (!isNew && !isTaken) await this.#checkSame({ task, create }, aggregate)
      if (!isTaken) await this.#publish(aggregate, persistence, dueInMs)
    } catch (error) {
      if (!mayPass(error) && !this.#node.closed.aborted) throw error
      throw error instanceof IdempotencyMismatch ? error : new SubmitUnknown(taskId, error)
    }
    // No idempotency key, so this is a collision of two random ids: submit again with a new id.
    return isTaken ? this.#submit({ task, create: { ...create, taskId: this.#ids.next() } }, signal) : { taskId, isNew }
  }

  /** Publishes row, message and notice, also of a task that exists already: a repeated submit completes an interrupted one. */
  async #publish({ details, created }: Aggregate, persistence: Persistence, dueInMs: number | undefined): Promise<void> {
    if (details === undefined || created === undefined) return
    // The message first: a worker may be waiting for it, and no caller waits for the notice yet.
    const sent = { created: details.version === 1 ? created : undefined, dueInMs }
    const steps = details.status === 'waiting' ? [this.#sender.send(details, sent)] : []
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

/** With an idempotency key the id stays unique to this submit: two submits of one key must not take each other's event for their own. */
const withFirstEventId = (command: CreateTask): CreateTask =>
  command.idempotencyKey === undefined ? { ...command, eventIds: [firstEventIdOf(command), command.eventIds[1]] } : command

/** Whether two values are the same JSON, whatever the order of their properties. */
const isEqualJson = (a: JsonValue, b: JsonValue): boolean => {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isEqualJson(at(a, key), at(b, key)))
}

const at = (value: object, key: string): JsonValue => (value as Readonly<Record<string, JsonValue>>)[key] as JsonValue
