import { isFinalStatus } from '../domain/task-status.ts'
import type { TaskId } from '../domain/task-id.ts'
import { isUnknownEventType } from '../ports/errors.ts'
import type { Notice } from '../ports/event-bus.ts'
import type { ConsumeMode, Delivery, WorkMessage } from '../ports/work-queue.ts'
import { describeError } from '../tasks/describe-error.ts'
import type { RunnableTask } from '../tasks/task-factory.ts'
import type { TaskRegistry } from '../tasks/task-registry.ts'
import type { Aggregate } from './aggregate.ts'
import { fold, noTask } from './aggregate.ts'
import type { Attempts } from './attempts.ts'
import { untilClosed } from './attempts.ts'
import { TaskNotFound } from './errors.ts'
import type { EventSourcing } from './event-sourcing.ts'
import { factoryOf } from './known-task.ts'
import type { NodeContext } from './node-context.ts'
import { commandBase } from './node-context.ts'
import type { Publisher } from './publisher.ts'
import type { Sender } from './sender.ts'
import { SerialHolds } from './serial-holds.ts'
import type { WorkerSettings } from './worker-settings.ts'

interface Claim {
  readonly taskId: TaskId
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
  readonly #holds: SerialHolds
  readonly #open = new Set<Claim>()

  constructor(
    node: NodeContext,
    eventSourcing: EventSourcing,
    publisher: Publisher,
    sender: Sender,
    registry: TaskRegistry,
    attempts: Attempts,
    settings: WorkerSettings,
  ) {
    this.#node = node
    this.#eventSourcing = eventSourcing
    this.#publisher = publisher
    this.#sender = sender
    this.#registry = registry
    this.#attempts = attempts
    this.#settings = settings
    this.#holds = new SerialHolds(node, eventSourcing)
  }

  /** Claims and runs the task of a delivery. Never rejects: what cannot be dealt with here is left to others. */
  async take(delivery: Delivery, mode: ConsumeMode): Promise<void> {
    let isHeld = false
    const untilFree = async (): Promise<Aggregate> => {
      const { taskId } = delivery.message
      isHeld = true
      const aggregate = await this.#holds.untilFree(taskId, () => this.#runsHere(taskId))
      isHeld = false
      return aggregate
    }
    try {
      await this.#take(delivery, mode === 'serial' ? untilFree : undefined)
    } catch (error) {
      // Not settled: an engine puts what comes back so before what waits, and what is released behind it.
      if (isHeld && this.#holds.isOver) return
      await this.#leaveToOthers(delivery, error)
    }
  }

  /** What happened to a task: a claim under way has to look again after a wish to cancel, what is held after an end. */
  hear(notice: Notice): void {
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
    if (isFinalStatus(known.state.status) && known.details !== undefined) {
      // Its row may have been left behind.
      await this.#publisher.saveRow(known.details)
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
    await this.#claimAnd(delivery, known, untilFree, (started, claim) =>
      this.#attempts.run(started, runnable, () => claim.heard > started.state.version),
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
    if (delivery.releases < this.#settings.undecodableReleases) return this.#leaveToOthers(delivery, error)
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
    const claim: Claim = { taskId: delivery.message.taskId, heard: 0, isRefused: false }
    this.#open.add(claim)
    try {
      // Until closed: where it cannot be told whether the claim was written, only trying again can tell.
      const command = { type: 'StartTask', ...commandBase(this.#node, claim.taskId) } as const
      // The body need not wait for row and notice either: whoever sees them late sees the end late, and in its turn.
      const options = { known, persistence: untilClosed, publish: 'beside' } as const
      const { refused, aggregate } = await this.#eventSourcing.dispatch(command, options)
      if (refused === 'unknownTask') throw new TaskNotFound(claim.taskId)
      claim.isRefused = refused !== undefined
      if (refused === 'alreadyStarted') await untilFree?.()
      if (refused === 'notDue' && aggregate.details !== undefined) await this.#sender.send(aggregate.details)
      // The body need not wait for the queue: the claim stands.
      const accepted = this.#accept(delivery)
      if (refused === undefined) await goOn(aggregate, claim)
      await accepted
    } finally {
      this.#open.delete(claim)
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
    const { undecodableReleases, undecodableDelayMs } = this.#settings
    const { message, releases } = delivery
    try {
      if (releases < undecodableReleases || this.#node.closed.aborted || isUnknownEventType(error)) {
        this.#node.logger.warn({ taskId: message.taskId, releases, err: error }, 'a task cannot be run here and is left to others')
        return await this.#node.deadlines.call(undefined, () => delivery.release({ delayMs: undecodableDelayMs }))
      }
      this.#node.logger.error({ taskId: message.taskId, releases, err: error }, 'a message was put with the dead letters')
      const why = `released ${releases} times; node ${this.#node.nodeId} says: ${describeError(error).message}`
      await this.#node.deadlines.call(undefined, () => delivery.reject(why))
    } catch (cause) {
      // The queue delivers again what nobody settled.
      this.#node.logger.warn({ taskId: message.taskId, err: cause }, 'a delivery could not be settled')
    }
  }
}
