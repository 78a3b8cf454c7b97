import type { StartTask } from '../../domain/task-command.ts'
import type { TaskId } from '../../domain/task-id.ts'
import { isFinalStatus, isUnderWay } from '../../domain/task-status.ts'
import { isOutcomeUnknown, isUnknownEventType } from '../../ports/errors.ts'
import type { TaskNotice } from '../../ports/event-bus.ts'
import type { ConsumeMode, Delivery, WorkMessage } from '../../ports/work-queue.ts'
import { describeError } from '../../tasks/describe-error.ts'
import type { RunnableTask } from '../../tasks/task-factory.ts'
import type { TaskRegistry } from '../../tasks/task-registry.ts'
import type { Aggregate } from '../commands/aggregate.ts'
import { fold, noTask } from '../commands/aggregate.ts'
import type { Attempts } from './attempts.ts'
import { TaskNotFound } from '../node/errors.ts'
import type { EventSourcing, Outcome } from '../commands/event-sourcing.ts'
import { factoryOf } from '../commands/known-task.ts'
import type { NodeContext } from '../node/context.ts'
import { commandBase } from '../node/context.ts'
import { persistAnyway, untilClosed } from '../node/retrying.ts'
import type { Publisher } from '../commands/publisher.ts'
import type { Sender } from '../commands/sender.ts'
import { SerialHolds } from './serial-holds.ts'
import type { WorkerSettings } from './settings.ts'

interface Claim {
  readonly taskId: TaskId
  /** By `clock.elapsed()`. */
  readonly begunAt: number
  /** The highest version that a notice named while the claim was under way. */
  heard: number
  /** Nothing runs by it, and nothing will. */
  isRefused: boolean
}

/** For a serial queue: waits until a run of the task that goes on elsewhere is over. */
type UntilFree = (() => Promise<Aggregate>) | undefined

/** Turns deliveries into claims: whoever writes `TaskStarted` runs the task, and nobody else does. */
export class Claims {
  readonly #node: NodeContext
  readonly #eventSourcing: EventSourcing
  readonly #publisher: Publisher
  readonly #sender: Sender
  readonly #registry: TaskRegistry
  readonly #attempts: Attempts
  readonly #settings: WorkerSettings
  readonly #isTaking: () => boolean
  readonly #holds: SerialHolds
  readonly #open = new Set<Claim>()

  constructor(parts: {
    readonly node: NodeContext
    readonly eventSourcing: EventSourcing
    readonly publisher: Publisher
    readonly sender: Sender
    readonly registry: TaskRegistry
    readonly attempts: Attempts
    readonly settings: WorkerSettings
    /** Whether the worker may claim tasks now. */
    readonly isTaking: () => boolean
  }) {
    this.#node = parts.node
    this.#eventSourcing = parts.eventSourcing
    this.#publisher = parts.publisher
    this.#sender = parts.sender
    this.#registry = parts.registry
    this.#attempts = parts.attempts
    this.#settings = parts.settings
    this.#isTaking = parts.isTaking
    this.#holds = new SerialHolds(parts)
  }

  /** Claims and runs the task of a delivery. Never rejects: what cannot be dealt with here is left to others. */
  take(delivery: Delivery, mode: ConsumeMode): Promise<void> {
    return this.#handle(delivery, mode, (untilFree) => this.#take(delivery, untilFree))
  }

  /**
   * Gives back a delivery that came while nothing is to be claimed. With the message of a serial queue its turn passes on, so one
   * that comes again is kept all the same for as long as its task runs. Never rejects.
   */
  decline(delivery: Delivery, mode: ConsumeMode): Promise<void> {
    return this.#handle(delivery, mode, async (untilFree) => {
      if (delivery.redelivered) await untilFree?.()
      await this.#release(delivery)
    })
  }

  async #handle(delivery: Delivery, mode: ConsumeMode, handle: (untilFree: UntilFree) => Promise<void>): Promise<void> {
    let isHeld = false
    const untilFree = async (): Promise<Aggregate> => {
      const { taskId } = delivery.message
      isHeld = true
      const aggregate = await this.#holds.untilFree(taskId, () => this.#runsHere(taskId))
      isHeld = false
      return aggregate
    }
    try {
      await handle(mode === 'serial' ? untilFree : undefined)
    } catch (error) {
      // Not settled: an engine puts what comes back so before what waits, and what is released behind it.
      if (isHeld && this.#holds.isOver) return
      await this.#leaveToOthers(delivery, error)
    }
  }

  /** What happened to a task: a claim under way has to look again after a wish to cancel, what is held after an end. */
  hear(notice: TaskNotice): void {
    this.#holds.hear(notice)
    if (notice.type !== 'TaskCancelRequested') return
    for (const claim of this.#open) if (claim.taskId === notice.taskId) claim.heard = Math.max(claim.heard, notice.version)
  }

  /** Notices may have been missed. */
  missAll(): void {
    this.#holds.lookAtAll()
    for (const claim of this.#open) claim.heard = Infinity
  }

  /** Waits for nobody else's run any more: the worker stops. */
  endHolds(): void {
    this.#holds.end()
  }

  async #take(delivery: Delivery, untilFree: UntilFree): Promise<void> {
    const known = delivery.redelivered && untilFree !== undefined ? await untilFree() : await this.#known(delivery.message)
    if (known.created === undefined) throw new TaskNotFound(delivery.message.taskId)
    if (isFinalStatus(known.state.status)) {
      // Row and notice may have been left behind.
      await this.#publisher.publishEnd(known)
      return this.#accept(delivery)
    }
    let runnable: RunnableTask
    try {
      const { type, version, payload } = known.created.task
      const factory = factoryOf(this.#registry, type)
      runnable = await this.#node.deadlines.call(undefined, () => factory.decode(version, payload))
    } catch (error) {
      return this.#undecodable(delivery, known, untilFree, error)
    }
    // What came before may have taken its time, and the worker may close by now, or its lease be in doubt.
    if (!this.#isTaking()) return this.#release(delivery)
    await this.#claimAnd(delivery, known, untilFree, (started, claim) =>
      this.#attempts.run(started, runnable, claim.begunAt, () => claim.heard > started.state.version),
    )
  }

  /**
   * What the message itself says, where it says all; else what the store has. A task of a key may have been removed and submitted
   * anew since, with another payload: the message may be that of the former.
   */
  async #known({ taskId, version, created }: WorkMessage): Promise<Aggregate> {
    return created !== undefined && created.idempotencyKey === undefined && version === 1
      ? fold(noTask, [created])
      : this.#eventSourcing.load(taskId, noTask, untilClosed)
  }

  /** Another node may know what this one does not; after enough tries the task fails, where people can see it. */
  async #undecodable(delivery: Delivery, known: Aggregate, untilFree: UntilFree, error: unknown): Promise<void> {
    if (delivery.releases < this.#settings.unknownTasks.maxReleases) return this.#leaveToOthers(delivery, error)
    await this.#claimAnd(delivery, known, untilFree, async (started) => {
      const described = describeError(error)
      const message = `no worker could decode it; node ${this.#node.nodeId} says: ${described.message}`
      const command = { type: 'FailTask', ...commandBase(this.#node, delivery.message.taskId), retryable: false, random: 0 } as const
      const failed = { ...command, attempt: started.state.attempt, error: { ...described, message } }
      await this.#eventSourcing.dispatch(failed, { known: started, persistence: untilClosed })
    })
  }

  /** Claims the task for this node, and goes on where that was accepted. */
  async #claimAnd(
    delivery: Delivery,
    known: Aggregate,
    untilFree: UntilFree,
    goOn: (started: Aggregate, claim: Claim) => Promise<void>,
  ): Promise<void> {
    const claim: Claim = { taskId: delivery.message.taskId, begunAt: this.#node.clock.elapsed(), heard: 0, isRefused: false }
    this.#open.add(claim)
    const command = { type: 'StartTask', ...commandBase(this.#node, claim.taskId) } as const
    let stands = false
    try {
      // Until closed: where it cannot be told whether the claim was written, only trying again can tell.
      // The body need not wait for row and notice either: whoever sees them late sees the end late, and in its turn.
      const outcome = await this.#eventSourcing.dispatch(command, { known, persistence: untilClosed, publish: 'beside' })
      const { aggregate } = outcome
      const refused = refusalOf(outcome)
      if (refused === 'unknownTask') throw new TaskNotFound(claim.taskId)
      claim.isRefused = refused !== undefined
      stands = refused === undefined
      if (refused === 'alreadyStarted') {
        // Whoever runs it may have died before he saved its row.
        if (aggregate.details !== undefined) await this.#publisher.saveRow(aggregate.details)
        await untilFree?.()
      }
      if (refused === 'notDue' && aggregate.details !== undefined) await this.#sender.send(aggregate.details)
      // The body need not wait for the queue: the claim stands.
      const accepted = this.#accept(delivery)
      if (refused === undefined) await goOn(aggregate, claim)
      await accepted
    } catch (error) {
      if (stands || isOutcomeUnknown(error)) void this.#takeBack(command, known)
      throw error
    } finally {
      this.#open.delete(claim)
    }
  }

  /**
   * A claim that may stand, and that nothing runs by: it is made to stand, and handed back, uncounted. As long as this node lives
   * nobody else would end it.
   */
  async #takeBack(command: StartTask, known: Aggregate): Promise<void> {
    const { taskId } = command
    try {
      const { events } = await persistAnyway(this.#node, () => this.#eventSourcing.dispatch(command, { known, persistence: untilClosed }))
      const [started] = events
      if (started?.type !== 'TaskStarted') return
      const release = { type: 'ReleaseTask', ...commandBase(this.#node, taskId), attempt: started.attempt } as const
      const dispatch = (): Promise<Outcome> => this.#eventSourcing.dispatch(release, { persistence: untilClosed })
      const { refused, aggregate } = await persistAnyway(this.#node, dispatch)
      this.#node.logger.warn({ taskId, attempt: started.attempt, refused }, 'a claim that nothing ran by was handed back')
      if (refused === undefined && aggregate.details?.status === 'waiting') await this.#sender.send(aggregate.details)
    } catch (error) {
      // The node closes: the death of the attempt, if there is one, is declared by others.
      this.#node.logger.debug({ taskId, err: error }, 'whether a claim stands was not found out')
    }
  }

  /** Whether a run of the task goes on here, or may begin at any moment. */
  #runsHere(taskId: TaskId): boolean {
    return [...this.#open].some((claim) => claim.taskId === taskId && !claim.isRefused)
  }

  /** The claim stands in the store: a message that comes again is refused there, so a failure here stops nothing. */
  async #accept(delivery: Delivery): Promise<void> {
    try {
      await this.#node.deadlines.call(undefined, () => delivery.accept())
    } catch (error) {
      this.#node.logger.warn({ taskId: delivery.message.taskId, err: error }, 'a delivery could not be accepted; it may come again')
    }
  }

  async #leaveToOthers(delivery: Delivery, error: unknown): Promise<void> {
    const { message, releases } = delivery
    const isForOthers = releases < this.#settings.unknownTasks.maxReleases || this.#node.closed.aborted || isUnknownEventType(error)
    if (isForOthers) {
      this.#node.logger.warn({ taskId: message.taskId, releases, err: error }, 'a task cannot be run here and is left to others')
      return this.#release(delivery)
    }
    this.#node.logger.error({ taskId: message.taskId, releases, err: error }, 'a message was put with the dead letters')
    const why = `released ${releases} times; node ${this.#node.nodeId} says: ${describeError(error).message}`
    await this.#settle(delivery, () => delivery.reject(why))
  }

  #release(delivery: Delivery): Promise<void> {
    return this.#settle(delivery, () => delivery.release({ delayMs: this.#settings.unknownTasks.retryDelayMs }))
  }

  async #settle({ message }: Delivery, call: () => Promise<void>): Promise<void> {
    try {
      await this.#node.deadlines.call(undefined, call)
    } catch (error) {
      // The queue delivers again what nobody settled.
      this.#node.logger.warn({ taskId: message.taskId, err: error }, 'a delivery could not be settled')
    }
  }
}

/** Why nothing is to be run by a claim. One that was found to stand only after others ended its attempt comes too late. */
const refusalOf = ({ refused, aggregate: { state }, events: [started] }: Outcome): Outcome['refused'] => {
  if (refused !== undefined) return refused
  const isOpen = started?.type === 'TaskStarted' && started.attempt === state.attempt && isUnderWay(state.status)
  return isOpen ? undefined : 'alreadyStarted'
}
