import type { CommandRefusal } from '../../domain/decide.ts'
import { checkEvent } from '../../codec/event-codec.ts'
import { decide } from '../../domain/decide.ts'
import type { TaskCommand } from '../../domain/task-command.ts'
import type { TaskEvent } from '../../domain/task-event.ts'
import type { TaskId } from '../../domain/task-id.ts'
import { hasCode, outcomeUnknown } from '../../ports/shared/errors.ts'
import type { Aggregate } from './aggregate.ts'
import { fold, noTask } from './aggregate.ts'
import type { NodeContext } from '../node/context.ts'
import type { Persistence } from '../node/retrying.ts'
import { mayPass, persist, repetitionDelayMs } from '../node/retrying.ts'
import type { Publisher } from './publisher.ts'

/**
 * Why a command was refused. `otherHistory`: the store has another history than the one that the caller knows. Either the task was removed
 * and created again, or a message told the caller of a task that does not exist so.
 */
export type DispatchRefusal = CommandRefusal | 'otherHistory'

/** The outcome of a command. */
export interface Outcome {
  /** Why the command was refused; `undefined` if it was accepted. */
  readonly refused: DispatchRefusal | undefined
  /** The task after the command. If the command's events were found in the history, later events of other nodes may be included. */
  readonly aggregate: Aggregate
  /** The events of the command. */
  readonly events: readonly TaskEvent[]
  /** How long until the task is due, in milliseconds, if the command delayed it: its delay, without the time that the command took. */
  readonly dueInMs: number | undefined
}

export interface DispatchOptions {
  /**
   * The task as the caller knows it: it saves a read if no other node wrote since. It may be wrong: the store writes the events only
   * behind the event that is the last one here, and the command is refused if the store has another first event.
   */
  readonly known?: Aggregate
  /** Whether `known` was just read, so that a refusal needs no second read. Default false. */
  readonly isFresh?: boolean
  readonly persistence?: Persistence
  /**
   * `first`: saves row and notice before it resolves. `beside`: resolves without waiting for them. `never`: the caller publishes. Default
   * `first`.
   */
  readonly publish?: 'first' | 'beside' | 'never'
}

/** The number of version conflicts after which the caller gets an error. */
const maxConflicts = 100

/** The only way from a command to events: load, decide, append, publish. After a version conflict it reads and decides again. */
export class EventSourcing {
  readonly #node: NodeContext
  readonly #publisher: Publisher

  constructor(parts: { readonly node: NodeContext; readonly publisher: Publisher }) {
    this.#node = parts.node
    this.#publisher = parts.publisher
  }

  /** Reads a task from the store; with `known`, only the events since. */
  async load(taskId: TaskId, known: Aggregate = noTask, persistence?: Persistence): Promise<Aggregate> {
    return fold(known, await this.#read(taskId, known, persistence))
  }

  /**
   * Executes a command. The same command may be dispatched again: its own events are recognised in the history.
   *
   * @throws `OUTCOME_UNKNOWN` if it is unknown whether the events were written.
   */
  async dispatch(command: TaskCommand, options: DispatchOptions = {}): Promise<Outcome> {
    const { publish = 'first', persistence, known } = options
    const begunAt = this.#node.clock.elapsed()
    const done = (refused: Outcome['refused'], aggregate: Aggregate, events: readonly TaskEvent[]): Outcome => {
      const delayMs = delayOf(command, events)
      return { refused, aggregate, events, dueInMs: delayMs === undefined ? undefined : delayMs - (this.#node.clock.elapsed() - begunAt) }
    }
    let fresh = known === undefined || options.isFresh === true
    let aggregate = known ?? (await this.load(command.taskId, noTask, persistence))
    for (let conflicts = 0; ; conflicts++) {
      if (isOtherHistory(aggregate, known)) return done('otherHistory', aggregate, [])
      const decision = decide(this.#timed(command, aggregate), aggregate.state)
      if (decision.type === 'refused') {
        if (fresh) return done(decision.reason, aggregate, [])
        // The refusal may come from an outdated `known`: read, then decide again.
        aggregate = await this.load(command.taskId, noTask, persistence)
        fresh = true
        continue
      }
      const { events: decided } = decision
      // What could not be read back would be a task that nobody sees again, and some adapters do not use the codec.
      for (const event of decided) checkEvent(event)
      const isWritten = decided.length === 0 || (await this.#append(command.taskId, aggregate, decided, persistence))
      if (isWritten) {
        aggregate = fold(aggregate, decided)
        await this.#publish(aggregate, decided, publish)
        return done(undefined, aggregate, decided)
      }
      if (conflicts === maxConflicts)
        throw outcomeUnknown(`${command.type} of task ${command.taskId} gave up after ${conflicts} version conflicts`)
      // From the beginning: the history may have been removed, and begun again.
      const events = await this.#read(command.taskId, noTask, persistence)
      aggregate = fold(noTask, events)
      fresh = true
      const own = events.filter((event) => command.eventIds.includes(event.eventId))
      if (own.length > 0) {
        // The append succeeded although its answer was lost, and other nodes have written since.
        await this.#publish(aggregate, own, publish)
        return done(undefined, aggregate, own)
      }
      if (conflicts > 0) await this.#node.clock.sleep(repetitionDelayMs(conflicts, this.#node.random()), this.#node.closed)
    }
  }

  /**
   * A start is judged by the clock that set the due time: the own clock may differ from it. The sender of the message has waited by its own clock,
   * but a message may be forged, so it is believed only as far as the clocks are known.
   */
  #timed(command: TaskCommand, { last, details, state }: Aggregate): TaskCommand {
    if (command.type !== 'StartTask' || last === undefined || details === undefined) return command
    const { clock, clocks, lease } = this.#node
    const now = clock.elapsed()
    // The clock of a node that is heard and not listed may show any time: then only a task without a due time is due.
    const dueBy = Math.max(0, state.dueAt + now - clocks.elapsedAt(state.dueAt, last.node, details.updatedAt))
    const isPlausible = clocks.earliestAt(state.dueAt, last.node, details.updatedAt) <= now + 2 * lease.settings.renewMs
    return { ...command, dueBy, ...(isPlausible ? {} : { dueVersion: 0 }) }
  }

  async #publish(aggregate: Aggregate, events: readonly TaskEvent[], when: NonNullable<DispatchOptions['publish']>): Promise<void> {
    if (when === 'never') return
    // This never rejects: the outbox retries failures, and closing waits for the outbox. Begin it here in any case: the next event of this
    // node is published after it.
    const published = this.#publisher.publish(aggregate, events)
    if (when === 'first') await published
  }

  /** Whether the events were written; false after a version conflict. */
  async #append(taskId: TaskId, { state, last }: Aggregate, events: readonly TaskEvent[], persistence?: Persistence): Promise<boolean> {
    const behind = last === undefined ? { isFresh: isFresh(events) } : { follows: last.eventId }
    let tries = 0
    try {
      // A retry appends the same events: the store recognises those that it has.
      await persist(this.#node, this.#bound(persistence), (signal) => {
        tries++
        return this.#node.storage.events.append(taskId, state.version, events, { signal, ...behind })
      })
      return true
    } catch (error) {
      if (hasCode(error, 'VERSION_CONFLICT')) return false
      if ((tries === 1 && !mayPass(error)) || this.#node.closed.aborted || persistence?.signal?.aborted) throw error
      // An earlier try may have succeeded, whatever the last one answered.
      throw outcomeUnknown(`an append to task ${taskId}`, error)
    }
  }

  async #read(taskId: TaskId, { state }: Aggregate, persistence?: Persistence): Promise<readonly TaskEvent[]> {
    return persist(this.#node, this.#bound(persistence), (signal) =>
      this.#node.storage.events.read(taskId, { afterVersion: state.version, signal }),
    )
  }

  #bound(persistence: Persistence | undefined): Persistence {
    return persistence ?? { forMs: this.#node.commandTimeoutMs }
  }
}

/** Whether the history in the store is another one than the caller knows. A missing history is not: the decision says so. */
const isOtherHistory = ({ created }: Aggregate, known: Aggregate | undefined): boolean =>
  known?.created !== undefined && created !== undefined && created.eventId !== known.created.eventId

/** The delay that a command has caused, counted from the time of the command: both are times of the same clock. */
const delayOf = ({ at }: TaskCommand, events: readonly TaskEvent[]): number | undefined => {
  const last = events.at(-1)
  if (last?.type === 'TaskCreated') return last.notBefore === undefined ? undefined : last.notBefore - at
  if (last?.type !== 'TaskFailed' && last?.type !== 'TaskDied') return undefined
  return last.retryAt === undefined ? undefined : last.retryAt - at
}

/** Whether the task id is random. With an idempotency key it is not: several nodes may append to its history at once. */
const isFresh = ([first]: readonly TaskEvent[]): boolean => first?.type === 'TaskCreated' && first.idempotencyKey === undefined
