import { isFinalStatus } from '../domain/task-status.ts'
import type { TaskDetails } from '../domain/task-details.ts'
import { closedError } from '../ports/shared/errors.ts'
import type { TaskNotice, Unsubscribe } from '../ports/event-bus.ts'
import type { TaskRegistry } from '../tasks/task-registry.ts'
import { Cancellations } from './commands/cancellations.ts'
import { EventSourcing } from './commands/event-sourcing.ts'
import { Outbox } from './commands/outbox.ts'
import { Publisher } from './commands/publisher.ts'
import { Sender } from './commands/sender.ts'
import { Submissions } from './commands/submissions.ts'
import type { TaskIds } from './commands/task-ids.ts'
import { Health } from './health/health.ts'
import { Probe } from './health/probe.ts'
import type { Beat } from './membership/beat.ts'
import { beatOf, isBeat } from './membership/beat.ts'
import { ClockCheck } from './membership/clock-check.ts'
import { Lapses } from './membership/lapses.ts'
import { Membership } from './membership/membership.ts'
import { NodeWatch } from './membership/node-watch.ts'
import { Peers } from './membership/peers.ts'
import { closedWithin } from './node/closing.ts'
import type { NodeContext } from './node/context.ts'
import type { LeaseState } from './node/lease.ts'
import type { NodeListener, RegistryRead, Renewal } from './node/listener.ts'
import { Awaiting } from './queries/awaiting.ts'
import { BodyWaits } from './queries/body-waits.ts'
import { TaskQueries } from './queries/task-queries.ts'
import { DeadLetters } from './recovery/dead-letters.ts'
import { Doctor } from './recovery/doctor.ts'
import { Janitor } from './recovery/janitor.ts'
import { Purging } from './recovery/purging.ts'
import { QueueHorizons } from './recovery/queue-horizons.ts'
import { Rebuilding } from './recovery/rebuilding.ts'
import { Recovery } from './recovery/recovery.ts'
import { RowTimes } from './recovery/row-times.ts'
import { SecondLook } from './recovery/second-look.ts'
import type { JanitorSettings } from './recovery/settings.ts'
import { AttachedWorker } from './worker/attached-worker.ts'

/** How long closing waits for rows, notices and messages that failed before, in milliseconds. */
const outboxMs = 5_000

/** What a node is assembled from. */
export interface AssemblyOptions {
  readonly node: NodeContext
  readonly name: string
  readonly registry: TaskRegistry
  readonly ids: TaskIds
  readonly maxPayloadBytes: number
  readonly janitor: JanitorSettings
  /** Aborts `node.closed`. */
  readonly abortClosed: (reason: Error) => void
}

/** Makes the parts of one node, passes each notice and each report to the parts that act on it, and closes the parts in order. */
export class Assembly implements NodeListener {
  readonly node: NodeContext
  readonly submissions: Submissions
  readonly cancellations: Cancellations
  readonly queries: TaskQueries
  readonly worker: AttachedWorker
  readonly health: Health
  readonly deadLetters: DeadLetters
  readonly doctor: Doctor
  readonly purging: Purging
  readonly rebuilding: Rebuilding
  readonly #outbox: Outbox
  readonly #sender: Sender
  readonly #awaiting: Awaiting
  readonly #membership: Membership
  readonly #watch: NodeWatch
  readonly #lapses: Lapses
  readonly #recovery: Recovery
  readonly #janitor: Janitor
  readonly #secondLook: SecondLook
  readonly #probe: Probe
  readonly #peers: Peers
  readonly #abortClosed: (reason: Error) => void
  readonly #unsubscribes: readonly Unsubscribe[]

  constructor(options: AssemblyOptions) {
    const { node, registry, ids, maxPayloadBytes, name } = options
    const { overdueMs } = options.janitor
    const outbox = new Outbox(node)
    const sender = new Sender({ node, outbox, listener: this })
    const publisher = new Publisher({ node, outbox, listener: this })
    const eventSourcing = new EventSourcing({ node, publisher })
    const awaiting = new Awaiting(node)
    const clockCheck = new ClockCheck(node)
    const watch = new NodeWatch({ node, listener: this, clockCheck })
    const bodyWaits = new BodyWaits()
    const isLapseHarmless = (): boolean => this.#lapses.isHarmless
    const worker = new AttachedWorker({ node, eventSourcing, publisher, sender, registry, isLapseHarmless })
    const horizons = new QueueHorizons(node)
    const times = new RowTimes(node)
    const recovery = new Recovery({ node, eventSourcing, publisher, sender, watch, horizons, times, overdueMs })
    const purging = new Purging(node)
    const peers = new Peers({ node, sendBeat: () => void this.#probe.sendBeat(false) })
    const probe = new Probe({ node, worker, peers })
    this.node = node
    this.submissions = new Submissions({ node, eventSourcing, publisher, sender, registry, ids, maxPayloadBytes })
    this.cancellations = new Cancellations({ node, eventSourcing, publisher })
    this.queries = new TaskQueries({ node, awaiting, bodyWaits })
    this.worker = worker
    this.health = new Health({ node, probe, worker, peers, unreadable: recovery.unreadable, clockCheck })
    this.doctor = new Doctor({ node, watch, horizons: new QueueHorizons(node), recovery, peers, times, overdueMs })
    this.deadLetters = new DeadLetters({ node, registry })
    this.purging = purging
    this.rebuilding = new Rebuilding({ node, publisher })
    this.#outbox = outbox
    this.#sender = sender
    this.#awaiting = awaiting
    this.#membership = new Membership({ node, name, worker, beats: probe, peers, bodyWaits, listener: this })
    this.#watch = watch
    this.#lapses = new Lapses({ node, watch, worker })
    this.#recovery = recovery
    this.#secondLook = new SecondLook({ node, recovery })
    this.#janitor = new Janitor({ node, settings: options.janitor, registry, watch, horizons, times, recovery, purging, peers })
    this.#probe = probe
    this.#peers = peers
    this.#abortClosed = options.abortClosed
    const { bus } = node.messaging
    this.#unsubscribes = [bus.subscribe((notice) => this.#noticeReceived(notice)), bus.onGap(() => this.#noticesMissed())]
  }

  /** Registers this node as live, and starts its janitor. Joining again updates the entry in the registry. */
  async join(): Promise<void> {
    await this.#membership.join()
    // The clocks of the other nodes have to be known before the first claim, which takes its fencing token from the fastest.
    if (!this.#watch.isReliable) await this.#watch.refresh()
    this.#janitor.start()
  }

  rowSaved(row: TaskDetails): void {
    this.#janitor.noteSaved(row)
  }

  nodeDied(nodeId: string): void {
    this.#janitor.sweepNow()
    this.#secondLook.nodeDied(nodeId)
  }

  nodesUnseen(): void {
    this.#janitor.sweepNow()
  }

  nodesRead(read: RegistryRead): void {
    this.#peers.compare(read)
    this.health.checkPeers()
    this.#membership.hurry()
  }

  messageSent(queue: string, error?: unknown): void {
    this.health.noteSend(queue, error)
  }

  leaseRenewed({ isEarly }: Renewal): void {
    this.health.checkLease()
    if (!isEarly) this.worker.lookAtAll()
    void this.#lapses.renewed()
    void this.#watch.refresh()
    // A renewal whose answer was late may have expired in the registry by now.
    const isRenewed = this.node.lease.state === 'held'
    // An early renewal is for the other nodes: it does not probe this one more often.
    void (isEarly ? this.#probe.sendEarlyBeat({ isRenewed }) : this.#probe.run({ isRenewed }))
  }

  renewalFailed(error: unknown): void {
    this.#watch.distrust()
    this.#lapses.renewalFailed()
    this.health.checkLease(error)
    void this.#probe.run({ isRenewed: false })
  }

  stoodStill(): void {
    this.#watch.distrust()
    this.#awaiting.wakeAll()
    this.worker.lookAtAll()
  }

  leaseChanged(state: LeaseState): void {
    const { logger, lease } = this.node
    if (state === 'held') logger.info({}, 'acquired the lease: other nodes count this node as alive')
    else if (lease.isInDoubt)
      logger.warn(
        { gainedMs: Math.round(lease.gainedMs) },
        'doubts its lease: the machine was suspended, or its wall clock was set forward',
      )
    else if (!this.worker.isOpen) {
      if (state === 'doubtful') logger.warn({}, 'could not renew the lease in time: retrying')
      else logger.warn({}, 'lost the lease: other nodes count this node as dead until it is renewed')
    } else if (state === 'doubtful') logger.warn({}, 'stopped taking tasks: this node could not renew its lease in time')
    this.health.checkLease()
    this.worker.leaseChanged()
    if (state === 'lost' && this.worker.isOpen) this.#lapses.begin()
  }

  #noticeReceived(notice: TaskNotice): void {
    if (isBeat(notice)) return this.#beatReceived(beatOf(notice))
    this.worker.hear(notice)
    if (isFinalStatus(notice.status)) this.#sender.forget(notice.taskId)
    this.#awaiting.hear(notice)
  }

  #beatReceived(beat: Beat): void {
    if (beat.node === this.node.nodeId) this.#probe.receive(beat)
    else {
      this.node.clocks.noteHeard(beat.node)
      this.#peers.hear(beat)
    }
    this.health.checkPeers()
    this.#membership.hurry()
  }

  #noticesMissed(): void {
    this.#peers.missed()
    this.#recovery.noteGap()
    this.worker.lookAtAll()
    this.#awaiting.wakeAll()
  }

  /** Closes the parts in order: no part is closed while another part still calls it. */
  async close(options: { readonly drainMs?: number | undefined }): Promise<void> {
    const { node } = this
    const { messaging, storage, clock, logger, deadlines } = node
    const reason = closedError('the task manager')
    this.health.noteClosing('closing')
    try {
      await this.worker.close(options)
    } catch (error) {
      logger.error({ err: error }, 'failed to close the worker: the rest of the node is closed all the same')
    }
    this.#secondLook.stop()
    await this.#janitor.stop()
    this.#sender.close()
    const cancel = clock.schedule(outboxMs, () => this.#abortClosed(reason))
    await this.#outbox.settled()
    cancel()
    this.#watch.stop()
    this.#peers.stop()
    await this.#membership.leave()
    this.health.noteClosing('closed')
    this.#abortClosed(reason)
    for (const unsubscribe of this.#unsubscribes) unsubscribe()
    deadlines.close(reason)
    const closings = await Promise.allSettled([messaging, storage].map((bundle) => closedWithin(node, bundle)))
    for (const closing of closings) if (closing.status === 'rejected') throw closing.reason
  }
}
