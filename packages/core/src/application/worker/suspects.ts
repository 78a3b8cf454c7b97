import { isSuspect } from '../../domain/crashes.ts'
import type { TaskId } from '../../domain/task-id.ts'
import type { Aggregate } from '../commands/aggregate.ts'
import type { NodeContext } from '../node/context.ts'

/**
 * How long a suspect waits for its turn here, in milliseconds. Then it starts beside the other one, which may run for days, or may itself
 * wait for this task.
 */
const maxWaitMs = 3_600_000

/** The delay before a suspect that has to wait is delivered again, in milliseconds. */
const delayMs = 5_000

type Surroundings = Pick<NodeContext, 'clock' | 'logger' | 'messaging' | 'closed'>

/** The turn of a task. */
export interface Turn {
  readonly taskId: TaskId
}

/**
 * Keeps suspects apart. A suspect is a task that has crashed several times, so it may be what kills its process. A worker runs one suspect at
 * a time, so a task that kills its process takes no other suspect along: each other task loses at most as many attempts to it as make it a
 * suspect itself.
 */
export class Suspects {
  readonly #node: Surroundings
  readonly #turns = new Set<Turn>()
  /** The suspects that had to wait here, each with its version, and since when (`clock.elapsed()`). */
  readonly #waiting = new Map<TaskId, { readonly version: number; readonly since: number }>()

  constructor(node: Surroundings) {
    this.#node = node
  }

  /** The turn of a task that is to be claimed; `undefined` if it has to wait. A task that is no suspect never waits. */
  turnOf(task: Aggregate, taskId: TaskId): Turn | undefined {
    const turn = { taskId }
    // A second message of a task that runs here must not wait for the end of that task: its claim is refused.
    const isCopy = [...this.#turns].some((other) => other.taskId === taskId)
    if (!isCopy && isSuspectTask(task)) {
      if (this.#turns.size > 0 && !this.#hasWaitedLong(task, taskId)) return undefined
      this.#turns.add(turn)
    }
    this.#waiting.delete(taskId)
    return turn
  }

  /** The delay before the message of a task that has to wait is delivered again. Waits here if the queue cannot delay. */
  async delayMs(): Promise<number> {
    const { messaging, clock, closed } = this.#node
    // Without a delay the message would come back at once, again and again.
    if (!messaging.queue.capabilities.delayedRelease) await clock.sleep(delayMs, closed).catch(() => {})
    return delayMs
  }

  /** Notes what the claim has shown: the message may have been older than the last crash. */
  claimed(turn: Turn, task: Aggregate): void {
    if (isSuspectTask(task)) this.#turns.add(turn)
  }

  over(turn: Turn): void {
    this.#turns.delete(turn)
  }

  #hasWaitedLong({ state, details }: Aggregate, taskId: TaskId): boolean {
    const now = this.#node.clock.elapsed()
    const waiting = this.#waiting.get(taskId)
    if (waiting?.version === state.version) return now - waiting.since >= maxWaitMs
    // Another node may have run the tasks that waited here.
    for (const [id, { since }] of this.#waiting) if (now - since > 2 * maxWaitMs) this.#waiting.delete(id)
    this.#waiting.set(taskId, { version: state.version, since: now })
    const fields = { taskId, type: details?.type, crashes: state.crashes.all }
    this.#node.logger.info(fields, 'postponed a task that has crashed: another task that has crashed runs here')
    return false
  }
}

const isSuspectTask = ({ state }: Aggregate): boolean => isSuspect(state.crashes, state.retry.maxCrashes)
