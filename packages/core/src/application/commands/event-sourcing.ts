import type { CommandRefusal } from '../../domain/decide.ts'
import { decide } from '../../domain/decide.ts'
import type { TaskCommand } from '../../domain/task-command.ts'
import type { TaskEvent } from '../../domain/task-event.ts'
import type { TaskId } from '../../domain/task-id.ts'
import { isVersionConflict, outcomeUnknown } from '../../ports/errors.ts'
import type { Aggregate } from './aggregate.ts'
import { fold, noTask } from './aggregate.ts'
import type { NodeContext } from '../node/context.ts'
import type { Persistence } from '../node/retrying.ts'
import { mayPass, persist, repetitionDelayMs } from '../node/retrying.ts'
import type { Publisher } from './publisher.ts'

/** What came of a command. */
export interface Outcome {
  /** Why it took no effect, or nothing where it was accepted. */
  readonly refused: CommandRefusal | undefined
  /** What is known of the task after it. Where the append was found to have happened after all, others may have written since. */
  readonly aggregate: Aggregate
  /** What it brought about. */
  readonly events: readonly TaskEvent[]
}

export interface DispatchOptions {
  /** What is known already: it spares the read where nobody else wrote meanwhile. */
  readonly known?: Aggregate
  readonly persistence?: Persistence
  /**
   * When the caller goes on: after row and notice are out, or beside them. `never` where he sees to them himself. Default
   * `first`.
   */
  readonly publish?: 'first' | 'beside' | 'never'
}

/** How often another writer may be first before the caller is told. */
const mostConflicts = 100

/** The one way by which commands become events: load, decide, append, publish; again where another writer was first. */
export class EventSourcing {
  readonly #node: NodeContext
  readonly #publisher: Publisher

  constructor(parts: { readonly node: NodeContext; readonly publisher: Publisher }) {
    this.#node = parts.node
    this.#publisher = parts.publisher
  }

  /** What the store has of a task, read anew; with `known`, only what came since. */
  async load(taskId: TaskId, known: Aggregate = noTask, persistence?: Persistence): Promise<Aggregate> {
    return fold(known, await this.#read(taskId, known, persistence))
  }

  /**
   * Carries a command out. The same command may be dispatched again: it recognises its own events.
   *
   * @throws `OUTCOME_UNKNOWN` where it could not be found out in time whether it happened.
   */
  async dispatch(command: TaskCommand, options: DispatchOptions = {}): Promise<Outcome> {
    const { publish = 'first', persistence } = options
    let fresh = options.known === undefined
    let aggregate = options.known ?? (await this.load(command.taskId, noTask, persistence))
    for (let conflicts = 0; ; conflicts++) {
      const decision = decide(after(command, aggregate), aggregate.state)
      if (decision.type === 'refused') {
        if (fresh) return { refused: decision.reason, aggregate, events: [] }
        // Nobody is refused for what was known a while ago.
        aggregate = await this.load(command.taskId, aggregate, persistence)
        fresh = true
        continue
      }
      const { events } = decision
      const isWritten = events.length === 0 || (await this.#append(command.taskId, aggregate, events, persistence))
      if (isWritten) {
        aggregate = fold(aggregate, events)
        await this.#publish(aggregate, events, publish)
        return { refused: undefined, aggregate, events }
      }
      if (conflicts === mostConflicts)
        throw outcomeUnknown(`${command.type} of task ${command.taskId} met another writer ${conflicts} times`)
      const news = await this.#read(command.taskId, aggregate, persistence)
      // Another version and nothing new: the history was removed meanwhile.
      aggregate = news.length === 0 ? await this.load(command.taskId, noTask, persistence) : fold(aggregate, news)
      fresh = true
      const own = news.filter((event) => command.eventIds.includes(event.eventId))
      if (own.length > 0) {
        // An append whose outcome was unknown had happened after all, and others have written since.
        await this.#publish(aggregate, own, publish)
        return { refused: undefined, aggregate, events: own }
      }
      if (conflicts > 0) await this.#node.clock.sleep(repetitionDelayMs(conflicts, this.#node.random()), this.#node.closed)
    }
  }

  async #publish(aggregate: Aggregate, events: readonly TaskEvent[], when: NonNullable<DispatchOptions['publish']>): Promise<void> {
    if (when === 'never') return
    // It never rejects: what fails is in the outbox, which closing waits for. And it begins here, so that a later event comes after it.
    const published = this.#publisher.publish(aggregate, events)
    if (when === 'first') await published
  }

  /** Whether the events were written; false where another writer was first. */
  async #append(taskId: TaskId, { state }: Aggregate, events: readonly TaskEvent[], persistence?: Persistence): Promise<boolean> {
    let tries = 0
    try {
      // The same events again after a failure: the store recognises those that it has.
      await persist(this.#node, this.#bound(persistence), (signal) => {
        tries++
        return this.#node.storage.events.append(taskId, state.version, events, { signal, isFresh: isFresh(events) })
      })
      return true
    } catch (error) {
      if (isVersionConflict(error)) return false
      if ((tries === 1 && !mayPass(error)) || this.#node.closed.aborted || persistence?.signal?.aborted) throw error
      // One of the tries may have succeeded, whatever the last one said.
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

/** What others wrote while the command was on its way happened before it, and so did what nodes with faster clocks wrote. */
const after = (command: TaskCommand, { details }: Aggregate): TaskCommand =>
  details === undefined || details.updatedAt <= command.at ? command : { ...command, at: details.updatedAt }

/** Whether the id was drawn by chance: one that stands for a key may be written at by others. */
const isFresh = ([first]: readonly TaskEvent[]): boolean => first?.type === 'TaskCreated' && first.idempotencyKey === undefined
