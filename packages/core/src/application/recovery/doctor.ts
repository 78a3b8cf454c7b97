import type { TaskDetails } from '../../domain/task-details.ts'
import { detailsOf, waitsSince } from '../../domain/task-details.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { CallOptions } from '../../ports/call-options.ts'
import { codeOf } from '../../ports/shared/errors.ts'
import type { UnreadableRow } from '../../ports/task-listing.ts'
import { isUnreadableRow } from '../../ports/task-listing.ts'
import type { NodeContext } from '../node/context.ts'
import type { NodeWatch } from '../membership/node-watch.ts'
import type { ApartNode, Peers } from '../membership/peers.ts'
import { persist } from '../node/retrying.ts'
import type { QueueHorizons } from './queue-horizons.ts'
import type { Recovery } from './recovery.ts'
import type { RowTimes } from './row-times.ts'
import { isUnreadable } from './unreadable-tasks.ts'
import { shardCount } from '../membership/shards.ts'
import { forEach, walk } from '../node/iterating.ts'

/**
 * Why something is reported. *Unreadable*: `rowUnreadable` (this node cannot decode the row), `historyUnreadable` (this node cannot decode
 * the history), `historyMissing` (the task is listed and has no history). *Apart*: `otherMessaging` (the notices of a live node do not
 * arrive at this node), `otherStorage` (they arrive, and the node is not in the node registry). *Stuck*: `messageLost` (its queue has
 * delivered later messages), `nobodyTakes` (no live node takes from its queue), `slotsAwait` (every slot of its queue is held by a task
 * that awaits a task of the queue). *Orphaned*: `nodeGone` (the node that runs it is not alive). *Divergent*: `rowBehind` (its row is older
 * than its history).
 */
export type DoctorFindingReason = TaskFinding['reason'] | NodeFinding['reason']

/** A fault of an unfinished task. */
export interface TaskFinding {
  readonly taskId: TaskId
  /** The type of the task; empty if neither its row nor its history can be read. */
  readonly type: string
  readonly kind: 'unreadable' | 'stuck' | 'orphaned' | 'divergent'
  readonly reason:
    | 'rowUnreadable'
    | 'historyUnreadable'
    | 'historyMissing'
    | 'messageLost'
    | 'nobodyTakes'
    | 'slotsAwait'
    | 'nodeGone'
    | 'rowBehind'
  /** The reason in words, with the details. */
  readonly why: string
  /** When the task last changed, or became due: milliseconds since 1970. */
  readonly since: number
}

/** A node that shares only storage or only messaging with the node that reports: one of the two has wrong settings. */
export interface NodeFinding {
  readonly nodeId: string
  readonly taskId?: undefined
  readonly type?: undefined
  readonly kind: 'apart'
  readonly reason: 'otherMessaging' | 'otherStorage'
  /** The reason in words. */
  readonly why: string
  /** When the reporting node found that: milliseconds since 1970. */
  readonly since: number
}

/** A fault of an unfinished task, or of a node. */
export type DoctorFinding = TaskFinding | NodeFinding

/** The findings of a doctor. */
export interface DoctorReport {
  /** What is unreadable comes first, then the nodes that are apart, then the other faults. */
  readonly findings: readonly DoctorFinding[]
  /** The number of examined tasks. */
  readonly examined: number
  /** False if there are more findings than `limit`. */
  readonly isComplete: boolean
}

/** The options of a doctor. */
export interface DoctorOptions extends CallOptions {
  /** The maximum number of findings, 1 to 10,000. Default 100. */
  readonly limit?: number | undefined
}

const atATime = 8

/** How many nodes a finding names. */
const maxNamed = 10

/** Examines every unfinished task and reports its faults. It changes nothing. */
export class Doctor {
  readonly #node: NodeContext
  readonly #watch: NodeWatch
  readonly #horizons: QueueHorizons
  readonly #recovery: Recovery
  readonly #peers: Peers
  readonly #times: RowTimes
  readonly #overdueMs: number

  constructor(parts: {
    readonly node: NodeContext
    readonly watch: NodeWatch
    readonly horizons: QueueHorizons
    readonly recovery: Recovery
    readonly peers: Peers
    readonly times: RowTimes
    readonly overdueMs: number
  }) {
    this.#node = parts.node
    this.#watch = parts.watch
    this.#horizons = parts.horizons
    this.#recovery = parts.recovery
    this.#peers = parts.peers
    this.#times = parts.times
    this.#overdueMs = parts.overdueMs
  }

  async report(limit: number, signal?: AbortSignal): Promise<DoctorReport> {
    await this.#watch.refresh()
    this.#horizons.refresh(this.#watch.live)
    const findings: DoctorFinding[] = this.#peers.apart.map(findingOf)
    let unreadable = 0
    let examined = 0
    // Goes on over the limit, because what is unreadable comes first.
    for (let shard = 0; shard < shardCount && unreadable <= limit; shard++) {
      const rows = walk(this.#node, (bound) => this.#node.storage.listing.unfinished({ shard, of: shardCount }, { signal: bound }))
      await forEach(rows, atATime, async (row) => {
        signal?.throwIfAborted()
        if (findings.length > limit && !isUnreadableRow(row)) return
        examined++
        const finding = isUnreadableRow(row) ? await this.#unreadableRow(row, signal) : await this.#examine(row, signal)
        if (finding?.kind === 'unreadable') findings.splice(unreadable++, 0, finding)
        else if (finding !== undefined) findings.push(finding)
      })
    }
    return { findings: findings.slice(0, limit), examined, isComplete: findings.length <= limit }
  }

  async #unreadableRow({ taskId, createdAt, unreadable }: UnreadableRow, signal: AbortSignal | undefined): Promise<TaskFinding> {
    const found = { taskId, kind: 'unreadable', reason: 'rowUnreadable' } as const
    const row = `its row cannot be read: ${unreadable}`
    try {
      const details = await this.#read(taskId, signal)
      if (details === undefined) return { ...found, type: '', since: createdAt, why: `${row}; it has no history` }
      return { ...found, type: details.type, since: details.updatedAt, why: `${row}; its history says ${details.status}` }
    } catch (error) {
      if (!isUnreadable(error)) throw error
      return { ...found, type: '', since: createdAt, why: `${row}; nor its history: ${codeOf(error)}: ${(error as Error).message}` }
    }
  }

  async #examine(row: TaskDetails, signal: AbortSignal | undefined): Promise<TaskFinding | undefined> {
    const { taskId, type } = row
    const found = (kind: TaskFinding['kind'], reason: TaskFinding['reason'], since: number, why: string): TaskFinding => ({
      taskId,
      type,
      kind,
      reason,
      why,
      since,
    })
    let details: TaskDetails | undefined
    try {
      details = await this.#read(taskId, signal)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      return found('unreadable', 'historyUnreadable', row.updatedAt, `${codeOf(error)}: ${(error as Error).message}`)
    }
    if (details === undefined) return found('unreadable', 'historyMissing', row.updatedAt, 'the task is listed and has no history')
    // A row that has been behind only for a moment is still being saved.
    if (details.version > row.version && this.#times.changedAt(details) + this.#overdueMs < this.#node.clock.elapsed())
      return found(
        'divergent',
        'rowBehind',
        details.updatedAt,
        `its row says ${row.status} (version ${row.version}), its history ${details.status} (version ${details.version})`,
      )
    const suspicion = await this.#recovery.suspect(details)
    if (suspicion?.type === 'orphaned')
      return found(
        'orphaned',
        'nodeGone',
        details.updatedAt,
        `attempt ${details.attempt} runs on node ${suspicion.nodeId}, which is not alive`,
      )
    if (suspicion?.type === 'overtaken')
      return found(
        'stuck',
        'messageLost',
        waitsSince(details),
        `queue ${details.queue} has delivered messages sent later: the message of the task is lost${orWaits(details)}`,
      )
    const why = this.#whyNotTaken(details)
    if (why !== undefined) return found('stuck', 'nobodyTakes', waitsSince(details), why)
    const blocked = this.#whyBlocked(details)
    return blocked === undefined ? undefined : found('stuck', 'slotsAwait', waitsSince(details), blocked)
  }

  /** Why no slot becomes free for a task that is due, or `undefined`. */
  #whyBlocked(details: TaskDetails): string | undefined {
    if (!this.#isOverdue(details)) return undefined
    const { queue } = details
    let [slots, held] = [0, 0]
    for (const { queues, blocked } of this.#watch.live) {
      const own = queues[queue] ?? 0
      slots += own
      held += Math.min(own, blocked?.[queue] ?? 0)
    }
    if (slots === 0 || held < slots) return undefined
    return `every slot of queue ${queue} (${slots}) is held by a task that awaits a task which waits in the same queue: cancel one of them, or add slots`
  }

  #isOverdue(details: TaskDetails): boolean {
    return details.status === 'waiting' && this.#times.dueAt(details) + this.#overdueMs < this.#node.clock.elapsed()
  }

  /** Why no live node takes a task that is due, or `undefined`. */
  #whyNotTaken(details: TaskDetails): string | undefined {
    if (!this.#isOverdue(details)) return undefined
    const { queue } = details
    const serving = this.#watch.live.filter(({ queues }) => queues[queue] !== undefined)
    const taking = serving.filter(({ queues }) => (queues[queue] ?? 0) > 0)
    if (taking.some(({ nodeId }) => !this.#peers.isApart(nodeId))) return undefined
    const apart = taking.map(({ nodeId }) => `node ${nodeId} does, and does not share the messaging of this node`)
    const paused = serving
      .filter((node) => !taking.includes(node))
      .map(({ nodeId }) => `the worker of node ${nodeId} is paused or draining`)
    return [`no live node takes from queue ${queue}`, ...[...apart, ...paused].slice(0, maxNamed)].join('; ')
  }

  async #read(taskId: TaskId, signal: AbortSignal | undefined): Promise<TaskDetails | undefined> {
    const persistence = { forMs: this.#node.commandTimeoutMs, signal }
    return detailsOf(await persist(this.#node, persistence, (bound) => this.#node.storage.events.read(taskId, { signal: bound })))
  }
}

/** What else may look like a lost message: a worker releases what it cannot decode, and a suspect while another one runs. */
const orWaits = ({ crashes = 0 }: TaskDetails): string =>
  crashes === 0
    ? ', or workers release it, because they cannot decode it'
    : `, or it waits for its turn: it has crashed (${crashes}), and a worker runs one such task at a time`

const findingOf = ({ nodeId, lacks, since }: ApartNode): NodeFinding =>
  lacks === 'messaging'
    ? {
        nodeId,
        kind: 'apart',
        reason: 'otherMessaging',
        since,
        why: `node ${nodeId} is in the node registry, and its notices do not arrive`,
      }
    : {
        nodeId,
        kind: 'apart',
        reason: 'otherStorage',
        since,
        why: `the notices of node ${nodeId} arrive, and the node registry does not have it`,
      }
