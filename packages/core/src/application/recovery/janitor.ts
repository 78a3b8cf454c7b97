import type { TaskDetails } from '../../domain/task-details.ts'
import type { TaskId } from '../../domain/task-id.ts'
import { isFinalStatus, isUnderWay } from '../../domain/task-status.ts'
import type { NodeInfo } from '../../ports/node-registry.ts'
import type { CancelSchedule } from '../../ports/shared/clock.ts'
import { within } from '../../ports/shared/within.ts'
import type { UnreadableRow } from '../../ports/task-listing.ts'
import { isUnreadableRow } from '../../ports/task-listing.ts'
import type { TaskRegistry } from '../../tasks/task-registry.ts'
import type { NodeContext } from '../node/context.ts'
import type { NodeWatch } from '../membership/node-watch.ts'
import type { Peers } from '../membership/peers.ts'
import type { Purging } from './purging.ts'
import type { QueueHorizons } from './queue-horizons.ts'
import type { Recovery } from './recovery.ts'
import type { RowTimes } from './row-times.ts'
import type { JanitorSettings } from './settings.ts'
import { shardCount, shardsOf } from '../membership/shards.ts'
import { forEach, walk } from '../node/iterating.ts'

/** The maximum factor by which the interval grows while the janitor finds no lost task. */
const maxIntervalFactor = 6

/** After this number of intervals a sweep is full: it examines every unfinished task of this node's shards. */
const fullEvery = 60

/** How long closing waits for a sweep under way, in milliseconds. */
const stopMs = 2_000

/** How many tasks are examined at once. */
const atATime = 8

/**
 * Finds lost tasks in this node's shards and repairs them. A quick sweep reads the horizon of each queue, and only the rows that are due
 * before a horizon. A full sweep reads every unfinished row; it runs after the death of a node, and from time to time.
 */
export class Janitor {
  readonly #node: NodeContext
  readonly #settings: JanitorSettings
  readonly #registry: TaskRegistry
  readonly #watch: NodeWatch
  readonly #horizons: QueueHorizons
  readonly #times: RowTimes
  readonly #recovery: Recovery
  readonly #purging: Purging
  readonly #peers: Peers
  readonly #stopped = new AbortController()
  /** Rows of any shard that this node has saved and that name another node as the runner. */
  readonly #saved = new Map<TaskId, TaskDetails>()
  #intervalMs: number
  #cancel: CancelSchedule | undefined
  #sweeping: Promise<void> | undefined
  #isFullDue = true
  #hasFailed = false
  #isStarted = false
  #lastFullAt = -Infinity
  #purgedAt = -Infinity

  constructor(parts: {
    readonly node: NodeContext
    readonly settings: JanitorSettings
    readonly registry: TaskRegistry
    readonly watch: NodeWatch
    readonly horizons: QueueHorizons
    readonly times: RowTimes
    readonly recovery: Recovery
    readonly purging: Purging
    readonly peers: Peers
  }) {
    this.#node = parts.node
    this.#settings = parts.settings
    this.#registry = parts.registry
    this.#watch = parts.watch
    this.#horizons = parts.horizons
    this.#times = parts.times
    this.#recovery = parts.recovery
    this.#purging = parts.purging
    this.#peers = parts.peers
    this.#intervalMs = parts.settings.intervalMs
  }

  /** Schedules the first sweep. Starting again changes nothing. */
  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.#schedule()
  }

  /**
   * Notes a row that this node has saved. If the row names another node as the runner, that node may have died before the row existed, and
   * the sweep after its death missed the task. So this node rechecks the row until it sees the runner alive, or has repaired the task.
   */
  noteSaved(row: TaskDetails): void {
    if (isUnderWay(row.status) && row.node !== this.#node.nodeId) this.#saved.set(row.taskId, row)
  }

  /** Sweeps fully, now: a node has died, and its tasks, running, scheduled or not yet sent, have to be found. */
  sweepNow(): void {
    this.#isFullDue = true
    this.#intervalMs = this.#settings.intervalMs
    this.#cancel?.()
    this.#begin()
  }

  /** Begins no more sweeps, and waits for the sweep under way, up to a limit: other nodes repair the rest. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#cancel?.()
    if (this.#sweeping === undefined) return
    await within(this.#sweeping, { timeoutMs: stopMs, onTimeout: () => {}, clock: this.#node.clock })
  }

  #schedule(): void {
    if (this.#stopped.signal.aborted) return
    // Jitter: nodes that started together do not sweep together.
    const ms = this.#intervalMs * (0.75 + this.#node.random() / 2)
    this.#cancel = this.#node.clock.schedule(ms, () => this.#begin())
  }

  #begin(): void {
    if (this.#stopped.signal.aborted) return
    this.#sweeping ??= this.#sweepOnce().finally(() => {
      this.#sweeping = undefined
      // A node may have died during this sweep.
      if (this.#isFullDue && this.#watch.isReliable) this.#begin()
      else this.#schedule()
    })
  }

  async #sweepOnce(): Promise<void> {
    try {
      const repaired = await this.#sweep()
      this.#intervalMs =
        repaired === 0 ? Math.min(this.#intervalMs * 2, this.#settings.intervalMs * maxIntervalFactor) : this.#settings.intervalMs
      await this.#retain()
    } catch (error) {
      this.#intervalMs = this.#settings.intervalMs
      this.#lastFullAt = -Infinity
      if (!this.#node.closed.aborted) this.#node.logger.warn({ err: error }, 'failed to sweep: the janitor retries')
    }
  }

  /** The number of repaired tasks; `undefined` if this node has no shards. */
  async #sweep(): Promise<number | undefined> {
    const { clock } = this.#node
    if (!this.#watch.isReliable) return 0
    const { live } = this.#watch
    const isFull = this.#isFullDue || clock.elapsed() - this.#lastFullAt >= fullEvery * this.#settings.intervalMs
    this.#isFullDue = false
    this.#hasFailed = false
    this.#recovery.hasPostponed = false
    this.#horizons.refresh(live)
    let repaired = await this.#recheckSaved()
    const shards = this.#shards()
    if (shards.length === 0) {
      // This node may get shards at any time: the first sweep of them has to be full.
      this.#lastFullAt = -Infinity
      return undefined
    }
    const dueBefore = isFull ? undefined : await this.#overtakenBefore()
    // Every queue has a backlog and has delivered no message yet, so no message can count as lost.
    if (dueBefore === -Infinity) return repaired
    if (isFull) this.#recovery.unreadable.beginSweep()
    for (const shard of shards) repaired += await this.#sweepShard(shard, dueBefore)
    if (this.#hasFailed || this.#recovery.hasPostponed) this.#lastFullAt = -Infinity
    else if (isFull) {
      this.#lastFullAt = clock.elapsed()
      this.#recovery.prune()
      this.#recovery.unreadable.endSweep()
    }
    return repaired
  }

  async #recheckSaved(): Promise<number> {
    const rows = [...this.#saved.values()]
    // Refresh first: an older snapshot of the registry may list a runner that has died since.
    if (rows.length === 0 || !(await this.#watch.refreshFromNow())) return 0
    let repaired = 0
    await forEach(rows, atATime, async (row) => {
      const isRepaired = await this.#examine(row, false)
      if (isRepaired) repaired++
      const isOver = isRepaired || this.#watch.isLive(row.node ?? '') || this.#recovery.unreadable.isKnown(row.taskId, row.version)
      if (isOver && this.#saved.get(row.taskId) === row) this.#saved.delete(row.taskId)
    })
    return repaired
  }

  #shards(): readonly number[] {
    const { nodeId, lease } = this.#node
    // A node with other messaging cannot send the lost messages of its shards.
    const isUseful = (node: NodeInfo): boolean => !this.#peers.isWithMost || !this.#peers.isApart(node.nodeId)
    return shardsOf(nodeId, this.#watch.live.filter(isUseful), lease.settings.ttlMs)
  }

  async #sweepShard(shard: number, dueBefore: number | undefined): Promise<number> {
    const { storage } = this.#node
    const options = dueBefore === undefined ? {} : { dueBefore }
    const rows = walk(this.#node, (signal) => storage.listing.unfinished({ shard, of: shardCount }, { ...options, signal }))
    let repaired = 0
    await forEach(rows, atATime, async (row) => {
      if (!this.#stopped.signal.aborted && (await this.#examineListed(row, dueBefore === undefined))) repaired++
    })
    return repaired
  }

  async #examineListed(row: TaskDetails | UnreadableRow, isFull: boolean): Promise<boolean> {
    const { taskId } = row
    if (!isUnreadableRow(row)) {
      this.#recovery.unreadable.noteReadableRow(taskId)
      return this.#examine(row, isFull)
    }
    // The task may be lost like any other, so look at its history. Only a full sweep looks again.
    if (!isFull && this.#recovery.unreadable.isKnown(taskId, 0)) return false
    const details = await this.#attempt(taskId, () => this.#recovery.restore(row))
    return details !== undefined && !isFinalStatus(details.status) && this.#examine(details, isFull)
  }

  async #examine(row: TaskDetails, isFull: boolean): Promise<boolean> {
    const suspicion = await this.#recovery.suspect(row)
    if (suspicion === undefined || (suspicion.type === 'old' && !isFull)) return false
    // Only a full sweep retries an unreadable history: another release may be able to read it by then.
    if (!isFull && this.#recovery.unreadable.isKnown(row.taskId, row.version)) return false
    return (await this.#attempt(row.taskId, () => this.#recovery.repair(row, suspicion))) === true
  }

  /** A failure with one task must not stop the sweep of the others. The next sweep is full, so it examines the task again. */
  async #attempt<T>(taskId: TaskId, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act()
    } catch (error) {
      this.#hasFailed = true
      if (!this.#node.closed.aborted) this.#node.logger.warn({ taskId, err: error }, 'failed to examine a task: the next sweep retries')
      return undefined
    }
  }

  /** A task that was due before this time, by any clock, may have a lost message. Milliseconds since 1970. */
  async #overtakenBefore(): Promise<number> {
    const named = this.#watch.live.flatMap(({ queues, delivered }) => [...Object.keys(queues), ...Object.keys(delivered)])
    const queues = new Set([
      ...named,
      ...this.#registry.queues(),
      ...this.#registry.types().map((type) => this.#registry.get(type)?.queue ?? ''),
      ...this.#horizons.queues,
    ])
    queues.delete('')
    const horizons = await Promise.all([...queues].map((queue) => this.#horizons.of(queue)))
    return this.#times.latestTime(Math.max(-Infinity, ...horizons) - this.#settings.overdueMs)
  }

  /** Purges by the retention. Only the node with shard 0 does this. */
  async #retain(): Promise<void> {
    const { finishedMs } = this.#settings
    const { clock, clocks, logger } = this.#node
    if (finishedMs === undefined || !this.#watch.isReliable) return
    const everyMs = Math.min(Math.max(finishedMs / 10, this.#settings.intervalMs), 3_600_000)
    if (!this.#shards().includes(0) || clock.elapsed() - this.#purgedAt < everyMs) return
    this.#purgedAt = clock.elapsed()
    // By the slowest clock: a node whose clock is a month ahead must not remove everything.
    const { removed, deferred, unreadable } = await this.#purging.purge(clocks.slowestNow() - finishedMs, this.#stopped.signal)
    if (removed > 0) logger.info({ removed, deferred, unreadable, finishedMs }, 'removed finished tasks: their retention has passed')
  }
}
