import type { TaskDetails } from '../../domain/task-details.ts'
import type { TaskId } from '../../domain/task-id.ts'
import { isUnderWay } from '../../domain/task-status.ts'
import type { CancelSchedule } from '../../ports/clock.ts'
import { within } from '../../ports/within.ts'
import type { TaskRegistry } from '../../tasks/task-registry.ts'
import type { NodeContext } from '../node/context.ts'
import type { NodeWatch } from '../membership/node-watch.ts'
import type { Purging } from './purging.ts'
import type { QueueHorizons } from './queue-horizons.ts'
import type { Recovery } from './recovery.ts'
import type { JanitorSettings } from './settings.ts'
import { shardCount, shardsOf } from '../membership/shards.ts'
import { forEach, walk } from '../node/iterating.ts'

/** How much longer the interval grows while all is well. */
const longestInterval = 6

/** After how many intervals every unfinished task of the own shards is looked at, whether or not anything was lost. */
const fullEvery = 60

/** How long a node that closes waits for what is under way, in milliseconds. */
const stopMs = 2_000

/** How many tasks are seen to at a time. */
const atATime = 8

/**
 * Finds what was lost and puts it right, for this node's share of the tasks. While all is well it asks how far each queue has
 * come, and reads only what a queue has overtaken; it reads everything when a node has died, and now and then.
 */
export class Janitor {
  readonly #node: NodeContext
  readonly #settings: JanitorSettings
  readonly #registry: TaskRegistry
  readonly #watch: NodeWatch
  readonly #horizons: QueueHorizons
  readonly #recovery: Recovery
  readonly #purging: Purging
  readonly #stopped = new AbortController()
  /** Rows that this node has saved, by which other nodes run tasks, of whatever shard. */
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
    readonly recovery: Recovery
    readonly purging: Purging
  }) {
    this.#node = parts.node
    this.#settings = parts.settings
    this.#registry = parts.registry
    this.#watch = parts.watch
    this.#horizons = parts.horizons
    this.#recovery = parts.recovery
    this.#purging = parts.purging
    this.#intervalMs = parts.settings.intervalMs
  }

  /** Starting again changes nothing. */
  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.#schedule()
  }

  /**
   * This node has saved a row. Where another runs the task by it, that one may have died so long ago that everybody has looked at what
   * it ran: whoever saves such a row sees to the task himself, until the other is known to live.
   */
  noteSaved(row: TaskDetails): void {
    if (isUnderWay(row.status) && row.node !== this.#node.nodeId) this.#saved.set(row.taskId, row)
  }

  /** A node has died: what it ran, scheduled or had not sent yet is looked for at once. */
  sweepNow(): void {
    this.#isFullDue = true
    this.#intervalMs = this.#settings.intervalMs
    this.#cancel?.()
    this.#begin()
  }

  /** Begins nothing more, and resolves when what is under way has ended, or takes too long: another node does the rest. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#cancel?.()
    if (this.#sweeping === undefined) return
    await within(this.#sweeping, { timeoutMs: stopMs, onTimeout: () => {}, clock: this.#node.clock })
  }

  #schedule(): void {
    if (this.#stopped.signal.aborted) return
    // Jitter: nodes that began together do not sweep together.
    const ms = this.#intervalMs * (0.75 + this.#node.random() / 2)
    this.#cancel = this.#node.clock.schedule(ms, () => this.#begin())
  }

  #begin(): void {
    if (this.#stopped.signal.aborted) return
    this.#sweeping ??= this.#sweepOnce().finally(() => {
      this.#sweeping = undefined
      // A node may have died while this one was looking.
      if (this.#isFullDue && this.#watch.isSighted) this.#begin()
      else this.#schedule()
    })
  }

  async #sweepOnce(): Promise<void> {
    try {
      const mended = await this.#sweep()
      this.#intervalMs =
        mended === 0 ? Math.min(this.#intervalMs * 2, this.#settings.intervalMs * longestInterval) : this.#settings.intervalMs
      await this.#retain()
    } catch (error) {
      this.#intervalMs = this.#settings.intervalMs
      this.#lastFullAt = -Infinity
      if (!this.#node.closed.aborted) this.#node.logger.warn({ err: error }, 'the janitor could not look at everything and tries again')
    }
  }

  /** How many tasks were put right; nothing where this node has no share. */
  async #sweep(): Promise<number | undefined> {
    const { clock } = this.#node
    if (!this.#watch.isSighted) return 0
    const { live } = this.#watch
    const isFull = this.#isFullDue || clock.elapsed() - this.#lastFullAt >= fullEvery * this.#settings.intervalMs
    this.#isFullDue = false
    this.#hasFailed = false
    this.#horizons.refresh(live)
    let mended = await this.#lookAtSaved()
    const shards = this.#shards()
    if (shards.length === 0) {
      // It may be given a share at any time, and then knows nothing of it.
      this.#lastFullAt = -Infinity
      return undefined
    }
    const dueBefore = isFull ? undefined : await this.#overtakenBefore()
    // Nobody was handed anything, and something waits in every queue: nothing can be told lost.
    if (dueBefore === -Infinity) return mended
    for (const shard of shards) mended += await this.#sweepShard(shard, dueBefore)
    if (this.#hasFailed) this.#lastFullAt = -Infinity
    else if (isFull) {
      this.#lastFullAt = clock.elapsed()
      this.#recovery.prune()
    }
    return mended
  }

  async #lookAtSaved(): Promise<number> {
    const rows = [...this.#saved.values()]
    // Whom a look found that began before a row was saved may have been dead by then.
    if (rows.length === 0 || !(await this.#watch.lookAgain())) return 0
    let mended = 0
    await forEach(rows, atATime, async (row) => {
      const isMended = await this.#look(row, false)
      if (isMended) mended++
      const isOver = isMended || this.#watch.isLive(row.node ?? '') || this.#recovery.unreadable.isKnown(row.taskId, row.version)
      if (isOver && this.#saved.get(row.taskId) === row) this.#saved.delete(row.taskId)
    })
    return mended
  }

  #shards(): readonly number[] {
    const { nodeId, lease } = this.#node
    return shardsOf(nodeId, this.#watch.live, lease.settings.ttlMs)
  }

  async #sweepShard(shard: number, dueBefore: number | undefined): Promise<number> {
    const { storage } = this.#node
    const options = dueBefore === undefined ? {} : { dueBefore }
    const rows = walk(this.#node, (signal) => storage.listing.unfinished({ shard, of: shardCount }, { ...options, signal }))
    let mended = 0
    await forEach(rows, atATime, async (row) => {
      if (!this.#stopped.signal.aborted && (await this.#look(row, dueBefore === undefined))) mended++
    })
    return mended
  }

  async #look(row: TaskDetails, isFull: boolean): Promise<boolean> {
    const suspicion = await this.#recovery.suspect(row)
    if (suspicion === undefined || (suspicion.type === 'old' && !isFull)) return false
    // Every full sweep may find that another release can read it by now.
    if (!isFull && this.#recovery.unreadable.isKnown(row.taskId, row.version)) return false
    try {
      return await this.#recovery.mend(row, suspicion)
    } catch (error) {
      // One task that cannot be seen to must not keep the janitor from the others, and must be met again before long.
      this.#hasFailed = true
      if (!this.#node.closed.aborted)
        this.#node.logger.warn({ taskId: row.taskId, err: error }, 'a task could not be seen to; it is tried again')
      return false
    }
  }

  /** What became due before this may have been overtaken by some queue. */
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
    return Math.max(-Infinity, ...horizons) - this.#settings.overdueMs
  }

  /** Forgets what finished long ago, where it is to be forgotten; one node at a time, the one that has the first shard. */
  async #retain(): Promise<void> {
    const { finishedMs } = this.#settings
    const { clock, logger } = this.#node
    if (finishedMs === undefined || !this.#watch.isSighted) return
    const everyMs = Math.min(Math.max(finishedMs / 10, this.#settings.intervalMs), 3_600_000)
    if (!this.#shards().includes(0) || clock.elapsed() - this.#purgedAt < everyMs) return
    this.#purgedAt = clock.elapsed()
    const { removed } = await this.#purging.purge(clock.now() - finishedMs, this.#stopped.signal)
    if (removed > 0) logger.info({ removed, finishedMs }, 'finished tasks were removed, as the retention says')
  }
}
