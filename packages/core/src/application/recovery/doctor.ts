import type { TaskDetails } from '../../domain/task-details.ts'
import { detailsOf, waitsSince } from '../../domain/task-details.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { CallOptions } from '../../ports/call-options.ts'
import { codeOf } from '../../ports/shared/errors.ts'
import type { NodeContext } from '../node/context.ts'
import type { NodeWatch } from '../membership/node-watch.ts'
import { persist } from '../node/retrying.ts'
import type { QueueHorizons } from './queue-horizons.ts'
import type { Recovery } from './recovery.ts'
import { isUnreadable } from './unreadable-tasks.ts'
import { shardCount } from '../membership/shards.ts'
import { forEach, walk } from '../node/iterating.ts'

/**
 * Why a task is reported. *Stuck*: `messageLost` (its queue has delivered later messages), `nobodyTakes` (no live node takes from its
 * queue). *Orphaned*: `nodeGone` (the node that runs it is not alive). *Divergent*: `rowBehind` (its row is older than its history).
 * *Unreadable*: `historyUnreadable` (this node cannot decode the history), `historyMissing` (the task is listed and has no history).
 */
export type DoctorFindingReason = 'messageLost' | 'nobodyTakes' | 'nodeGone' | 'rowBehind' | 'historyUnreadable' | 'historyMissing'

/** A fault of an unfinished task. */
export interface DoctorFinding {
  readonly taskId: TaskId
  readonly type: string
  readonly kind: 'stuck' | 'orphaned' | 'divergent' | 'unreadable'
  readonly reason: DoctorFindingReason
  /** The reason in words, with the details. */
  readonly why: string
  /** When the task last changed, or became due: milliseconds since 1970. */
  readonly since: number
}

/** The findings of a doctor. */
export interface DoctorReport {
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

/** Examines every unfinished task and reports its faults. It changes nothing. */
export class Doctor {
  readonly #node: NodeContext
  readonly #watch: NodeWatch
  readonly #horizons: QueueHorizons
  readonly #recovery: Recovery
  readonly #overdueMs: number

  constructor(parts: {
    readonly node: NodeContext
    readonly watch: NodeWatch
    readonly horizons: QueueHorizons
    readonly recovery: Recovery
    readonly overdueMs: number
  }) {
    this.#node = parts.node
    this.#watch = parts.watch
    this.#horizons = parts.horizons
    this.#recovery = parts.recovery
    this.#overdueMs = parts.overdueMs
  }

  async report(limit: number, signal?: AbortSignal): Promise<DoctorReport> {
    await this.#watch.refresh()
    this.#horizons.refresh(this.#watch.live)
    const findings: DoctorFinding[] = []
    let examined = 0
    for (let shard = 0; shard < shardCount && findings.length <= limit; shard++) {
      const rows = walk(this.#node, (bound) => this.#node.storage.listing.unfinished({ shard, of: shardCount }, { signal: bound }))
      await forEach(rows, atATime, async (row) => {
        signal?.throwIfAborted()
        if (findings.length > limit) return
        examined++
        const finding = await this.#examine(row, signal)
        if (finding !== undefined) findings.push(finding)
      })
    }
    return { findings: findings.slice(0, limit), examined, isComplete: findings.length <= limit }
  }

  async #examine(row: TaskDetails, signal: AbortSignal | undefined): Promise<DoctorFinding | undefined> {
    const { taskId, type } = row
    const found = (kind: DoctorFinding['kind'], reason: DoctorFindingReason, since: number, why: string): DoctorFinding => ({
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
    if (details.version > row.version && details.updatedAt + this.#overdueMs < this.#node.clock.now())
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
        `queue ${details.queue} has delivered messages sent later: the message of the task is lost`,
      )
    return this.#isTaken(details)
      ? undefined
      : found('stuck', 'nobodyTakes', waitsSince(details), `no live node takes from queue ${details.queue}`)
  }

  #isTaken(details: TaskDetails): boolean {
    const isDue = details.status === 'waiting' && waitsSince(details) + this.#overdueMs < this.#node.clock.now()
    return !isDue || this.#watch.live.some(({ queues }) => (queues[details.queue] ?? 0) > 0)
  }

  async #read(taskId: TaskId, signal: AbortSignal | undefined): Promise<TaskDetails | undefined> {
    const persistence = { forMs: this.#node.commandTimeoutMs, signal }
    return detailsOf(await persist(this.#node, persistence, (bound) => this.#node.storage.events.read(taskId, { signal: bound })))
  }
}
