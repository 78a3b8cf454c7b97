import type { StartTask } from '../../domain/task-command.ts'
import type { TaskDetails } from '../../domain/task-details.ts'
import type { TaskId } from '../../domain/task-id.ts'
import { isFinalStatus, isUnderWay } from '../../domain/task-status.ts'
import { hasCode } from '../../ports/shared/errors.ts'
import type { TaskNotice } from '../../ports/event-bus.ts'
import type { ConsumeMode, Delivery } from '../../ports/work-queue.ts'
import { describeError } from '../../tasks/describe-error.ts'
import type { RunnableTask } from '../../tasks/task-factory.ts'
import type { TaskRegistry } from '../../tasks/task-registry.ts'
import type { Aggregate } from '../commands/aggregate.ts'
import { noTask } from '../commands/aggregate.ts'
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
import { Suspects } from './suspects.ts'
import type { WorkerSettings } from './settings.ts'
import { liesOf, toldBy } from './told-task.ts'

interface Claim {
  readonly taskId: TaskId
  /** By `clock.elapsed()`. */
  readonly begunAt: number
  /** The highest version in a cancel notice since the claim began; Infinity if notices may have been missed. */
  heard: number
  /** Whether the claim was refused: no body starts. */
  isRefused: boolean
}

/** The queue that a delivery comes from. */
export interface Source {
  readonly queue: string
  readonly mode: ConsumeMode
}

/** For a serial queue: waits until a run of the task on another node is over. */
type UntilFree = (() => Promise<Aggregate>) | undefined

/** A delivery that this node takes, and the queue that it comes from. */
interface Taken {
  readonly delivery: Delivery
  readonly queue: string
  readonly untilFree: UntilFree
}

/** Turns deliveries into claims: the node that writes `TaskStarted` runs the task, and no other node does. */
export class Claims {
  readonly #node: NodeContext
  readonly #eventSourcing: EventSourcing
  readonly #publisher: Publisher
  readonly #sender: Sender
  readonly #registry: TaskRegistry
  readonly #attempts: Attempts
  readonly #settings: WorkerSettings
  readonly #isTaking: () => boolean
  readonly #onClaimed: (delivery: Delivery, queue: string) => void
  readonly #holds: SerialHolds
  readonly #suspects: Suspects
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
    /** A delivery led to a claim. */
    readonly onClaimed: (delivery: Delivery, queue: string) => void
  }) {
    this.#node = parts.node
    this.#eventSourcing = parts.eventSourcing
    this.#publisher = parts.publisher
    this.#sender = parts.sender
    this.#registry = parts.registry
    this.#attempts = parts.attempts
    this.#settings = parts.settings
    this.#isTaking = parts.isTaking
    this.#onClaimed = parts.onClaimed
    this.#holds = new SerialHolds(parts)
    this.#suspects = new Suspects(parts.node)
  }

  /** Claims and runs the task of a delivery. Never rejects: a delivery that fails here is released to other nodes. */
  take(delivery: Delivery, source: Source): Promise<void> {
    return this.#handle(delivery, source, (untilFree) => this.#take({ delivery, queue: source.queue, untilFree }))
  }

  /**
   * Releases a delivery that came while this node may not claim. A release passes the turn of a serial queue on, so a redelivered message
   * of a serial queue is held until the run of its task is over. Never rejects.
   */
  decline(delivery: Delivery, source: Source): Promise<void> {
    return this.#handle(delivery, source, async (untilFree) => {
      if (delivery.redelivered) await untilFree?.()
      await this.#postpone(delivery)
    })
  }

  async #handle(delivery: Delivery, { queue, mode }: Source, handle: (untilFree: UntilFree) => Promise<void>): Promise<void> {
    let isHeld = false
    const untilFree = async (): Promise<Aggregate> => {
      const { taskId } = delivery.message
      isHeld = true
      const aggregate = await this.#holds.untilFree(taskId, queue, () => this.#runsHere(taskId))
      isHeld = false
      return aggregate
    }
    try {
      await handle(mode === 'serial' ? untilFree : undefined)
    } catch (error) {
      // The worker stops: leave the message unsettled. The engine requeues it at the head; a release would put it at the tail.
      if (isHeld && this.#holds.isOver) return
      await this.#leaveToOthers(delivery, error)
    }
  }

  /** Passes a notice on: a claim under way reads its task again after a cancel request, a hold after the end of a run. */
  hear(notice: TaskNotice): void {
    this.#holds.hear(notice)
    if (notice.type !== 'TaskCancelRequested') return
    for (const claim of this.#open) if (claim.taskId === notice.taskId) claim.heard = Math.max(claim.heard, notice.version)
  }

  /** Makes claims under way and holds read their tasks again: notices may have been missed. */
  missAll(): void {
    this.#holds.lookAtAll()
    for (const claim of this.#open) claim.heard = Infinity
  }

  /** Ends all holds: the worker stops. */
  endHolds(): void {
    this.#holds.end()
  }

  async #take(taken: Taken): Promise<void> {
    const { delivery, queue, untilFree } = taken
    if (delivery.redelivered && untilFree !== undefined) return this.#start(taken, await untilFree())
    const told = toldBy(delivery.message, queue)
    return told === undefined ? this.#startStored(taken) : this.#start(taken, told, true)
  }

  /** Starts a task as the store has it. */
  async #startStored(taken: Taken): Promise<void> {
    const { message, releases } = taken.delivery
    const stored = await this.#eventSourcing.load(message.taskId, noTask, untilClosed)
    const lies = stored.created === undefined ? [] : liesOf(message, stored.created)
    if (lies.length > 0 && releases === 0)
      this.#node.logger.warn({ taskId: message.taskId, lies }, 'ignored what a message says of its task: the store says otherwise')
    return this.#start(taken, stored)
  }

  /** Claims and runs a task as this node knows it. `isTold`: only the message says so, until the claim is written. */
  async #start(taken: Taken, known: Aggregate, isTold = false): Promise<void> {
    const { delivery, queue } = taken
    if (known.created === undefined || known.details === undefined) throw new TaskNotFound(delivery.message.taskId)
    if (isFinalStatus(known.state.status)) {
      // The end may have been written without row and notice.
      await this.#publisher.publishEnd(known)
      return this.#accept(delivery)
    }
    if (known.details.queue !== queue) return this.#moveToItsQueue(delivery, known.details)
    let runnable: RunnableTask
    try {
      const { type, version, payload } = known.created.task
      const factory = factoryOf(this.#registry, type)
      runnable = await this.#node.deadlines.call(undefined, () => factory.decode(version, payload))
    } catch (error) {
      return isTold ? this.#startStored(taken) : this.#undecodable(taken, known, error)
    }
    // The steps before may have taken long: the worker may be closing, or its lease doubtful.
    if (!this.#isTaking()) return this.#postpone(delivery)
    const turn = this.#suspects.turnOf(known, delivery.message.taskId)
    if (turn === undefined) return this.#postpone(delivery, await this.#suspects.delayMs())
    try {
      await this.#claimAnd(taken, known, (started, claim) => {
        this.#suspects.claimed(turn, started)
        return this.#attempts.run(started, runnable, claim.begunAt, () => claim.heard > started.state.version)
      })
    } finally {
      this.#suspects.over(turn)
    }
  }

  /** Runs no task from another queue than its own: that queue may be serial, or its workers may be others. */
  async #moveToItsQueue(delivery: Delivery, details: TaskDetails): Promise<void> {
    const { taskId, queue } = details
    this.#node.logger.warn({ taskId, queue }, 'moved a message to the queue of its task: it came from another queue')
    if (details.status === 'waiting') await this.#sender.send(details)
    await this.#accept(delivery)
  }

  /** Another node may be able to decode the task. After `maxReleases` the task fails, so that people see it. */
  async #undecodable(taken: Taken, known: Aggregate, error: unknown): Promise<void> {
    const { delivery } = taken
    const { type, version } = known.created?.task ?? {}
    if (delivery.releases < this.#settings.unknownTasks.maxReleases) return this.#leaveToOthers(delivery, error, { type, version })
    await this.#claimAnd(taken, known, async (started) => {
      const described = describeError(error)
      const message = `no worker could decode the task; node ${this.#node.nodeId} reports: ${described.message}`
      const command = { type: 'FailTask', ...commandBase(this.#node, delivery.message.taskId), retryable: false, random: 0 } as const
      const failed = { ...command, attempt: started.state.attempt, error: { ...described, message } }
      const { refused } = await this.#eventSourcing.dispatch(failed, { known: started, persistence: untilClosed })
      const fields = { taskId: delivery.message.taskId, type, version, releases: delivery.releases, err: error }
      if (refused === undefined) this.#node.logger.error(fields, 'failed a task: no worker could decode it')
    })
  }

  /** Claims the task for this node; if the claim is accepted, goes on with it. */
  async #claimAnd(taken: Taken, known: Aggregate, goOn: (started: Aggregate, claim: Claim) => Promise<void>): Promise<void> {
    const { delivery, queue, untilFree } = taken
    const claim: Claim = { taskId: delivery.message.taskId, begunAt: this.#node.clock.elapsed(), heard: 0, isRefused: false }
    this.#open.add(claim)
    const { version, createdAt = known.details?.createdAt, dueInMs } = delivery.message
    // The sender has waited until the task was due, by its own clock.
    const due = dueInMs === undefined && createdAt === known.details?.createdAt ? { dueVersion: version } : {}
    const command = { type: 'StartTask', ...commandBase(this.#node, claim.taskId), fence: this.#node.clocks.fastestNow(), ...due } as const
    let stands = false
    try {
      // Retry until closed: after a lost answer, only a retry can tell whether the claim was written.
      // The body does not wait for row and notice: the row and notice of its end come after them in any case.
      const outcome = await this.#eventSourcing.dispatch(command, { known, persistence: untilClosed, publish: 'beside' })
      const { aggregate } = outcome
      const refused = refusalOf(outcome)
      if (refused === 'unknownTask') throw new TaskNotFound(claim.taskId)
      claim.isRefused = refused !== undefined
      stands = refused === undefined
      if (refused === 'otherHistory') return await this.#startStored(taken)
      if (refused === 'alreadyStarted') {
        // The node that runs the task may have died before it saved the row.
        if (aggregate.details !== undefined) await this.#publisher.saveRow(aggregate.details)
        await untilFree?.()
      }
      if (refused === 'notDue' && aggregate.details !== undefined) await this.#sender.postpone(aggregate.details, delivery.message)
      if (refused === undefined) this.#onClaimed(delivery, queue)
      // The claim is written, so the body does not wait for the queue.
      const accepted = this.#accept(delivery)
      if (refused === undefined) await goOn(aggregate, claim)
      await accepted
    } catch (error) {
      if (stands || hasCode(error, 'OUTCOME_UNKNOWN')) void this.#takeBack(command, known)
      throw error
    } finally {
      this.#open.delete(claim)
    }
  }

  /**
   * Undoes a claim that may have been written although its body never started: no other node ends the attempt of a live node. It
   * dispatches the claim again, so that the claim is written for certain, and then releases the attempt, uncounted.
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
      this.#node.logger.warn({ taskId, attempt: started.attempt, refused }, 'released a claim whose body never started')
      if (refused === undefined && aggregate.details?.status === 'waiting') await this.#sender.send(aggregate.details)
    } catch (error) {
      // This node closes: if the claim was written, another node declares the attempt dead.
      this.#node.logger.debug({ taskId, err: error }, 'gave up finding out whether a claim was written')
    }
  }

  /** Whether a run of the task goes on here, or may start at any moment. */
  #runsHere(taskId: TaskId): boolean {
    return [...this.#open].some((claim) => claim.taskId === taskId && !claim.isRefused)
  }

  /** Accepts a delivery. A failure does no harm: after a redelivery, the store refuses a second claim. */
  async #accept(delivery: Delivery): Promise<void> {
    try {
      await this.#node.deadlines.call(undefined, () => delivery.accept())
    } catch (error) {
      this.#node.logger.warn({ taskId: delivery.message.taskId, err: error }, 'failed to accept a delivery: the queue may deliver it again')
    }
  }

  async #leaveToOthers(delivery: Delivery, error: unknown, task: object = {}): Promise<void> {
    const { message, releases } = delivery
    const fields = { taskId: message.taskId, ...task, releases, err: error }
    const isForOthers =
      releases < this.#settings.unknownTasks.maxReleases || this.#node.closed.aborted || hasCode(error, 'UNKNOWN_EVENT_TYPE')
    if (isForOthers) {
      // One line for each task: the next releases, here or on other nodes, have the same reason.
      if (releases === 0) this.#node.logger.warn(fields, 'released a task that cannot run here')
      else this.#node.logger.debug(fields, 'released a task again that cannot run here')
      return this.#release(delivery)
    }
    this.#node.logger.error(fields, 'dead-lettered a message')
    const why = `released ${releases} times; node ${this.#node.nodeId} reports: ${describeError(error).message}`
    await this.#settle(delivery, () => delivery.reject(why))
  }

  #release(delivery: Delivery): Promise<void> {
    return this.#settle(delivery, () => delivery.release({ delayMs: this.#settings.unknownTasks.retryDelayMs }))
  }

  /** Releases a task that could run here, but not now. The release does not count. */
  #postpone(delivery: Delivery, delayMs: number = this.#settings.unknownTasks.retryDelayMs): Promise<void> {
    return this.#settle(delivery, () => delivery.release({ delayMs, isCounted: false }))
  }

  async #settle({ message }: Delivery, call: () => Promise<void>): Promise<void> {
    try {
      await this.#node.deadlines.call(undefined, call)
    } catch (error) {
      // The queue delivers an unsettled message again.
      this.#node.logger.warn({ taskId: message.taskId, err: error }, 'failed to settle a delivery: the queue delivers it again')
    }
  }
}

/** Why the body of a claim must not start. A claim is too late if its attempt ended before this node learned that the claim was written. */
const refusalOf = ({ refused, aggregate: { state }, events: [started] }: Outcome): Outcome['refused'] => {
  if (refused !== undefined) return refused
  const isOpen = started?.type === 'TaskStarted' && started.attempt === state.attempt && isUnderWay(state.status)
  return isOpen ? undefined : 'alreadyStarted'
}
