import type { TaskDetails } from '@taskledger/core/ports'
import { codeOf } from '@taskledger/core/ports'
import { GroupCommit } from '../connection/group-commit.ts'

/** A version of a task's row, encoded when it was given: later changes of the caller's object have no effect. */
export interface Snapshot {
  readonly details: TaskDetails
  /** The details as text. */
  readonly text: string
}

/** A write of the newest version of a task. Until it is in flight, a newer version takes the place of its snapshot. */
interface Save {
  snapshot: Snapshot
  isInFlight: boolean
  /** Ends the wait for the end of the task. */
  endDelay: () => void
  /** Resolves when this version, or a newer one, is durable. */
  done: Promise<void>
}

/** Writes tasks that have the same partitions in one batch. */
export type WriteTogether = (snapshots: readonly Snapshot[]) => Promise<void>

/**
 * How long the row of a start waits for the end of its task, in milliseconds. Most tasks of a burst end within that
 * time, which saves a write; for the others the list shows the start a moment later.
 */
export const startDelayMs = 100

/**
 * The maximum number of tasks in a batch, and of bytes of details: a mutation is limited to half a segment of the
 * commit log (16 MiB).
 */
const [maxTasks, maxBytes] = [100, 1_048_576]

/**
 * Group commit for rows. Tasks with the same partitions have at most one batch in flight. A task that waits for the
 * next batch is written in its newest version only, and that write answers the saves of its older versions.
 */
export class Saves {
  readonly #groups: GroupCommit<Save>
  /** The latest save of each task, until it is durable. */
  readonly #latest = new Map<string, Save>()

  constructor(write: WriteTogether) {
    this.#groups = new GroupCommit<Save>({
      maxItems: maxTasks,
      maxBytes,
      sizeOf: ({ snapshot }) => snapshot.text.length,
      idOf: ({ snapshot }) => snapshot.details.taskId,
      flush: async (_key, saves) => {
        for (const save of saves) save.isInFlight = true
        return writeApart(
          write,
          saves.map(({ snapshot }) => snapshot),
        )
      },
    })
  }

  /** Resolves when this version of the task, or a newer one, is durable. */
  save(partitions: string, snapshot: Snapshot): Promise<void> {
    const { taskId, createdAt, version } = snapshot.details
    const id = `${createdAt} ${taskId}`
    const latest = this.#latest.get(id)
    if (latest !== undefined) {
      if (latest.snapshot.details.version >= version) return latest.done
      if (!latest.isInFlight) {
        latest.snapshot = snapshot
        if (!isStart(snapshot)) latest.endDelay()
        return latest.done
      }
    }
    const save: Save = { snapshot, isInFlight: false, endDelay: () => {}, done: Promise.resolve() }
    save.done = this.#write(partitions, save).finally(() => {
      if (this.#latest.get(id) === save) this.#latest.delete(id)
    })
    this.#latest.set(id, save)
    return save.done
  }

  async #write(partitions: string, save: Save): Promise<void> {
    if (isStart(save.snapshot)) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, startDelayMs)
        save.endDelay = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    await this.#groups.add(partitions, save)
  }
}

/** Whether the snapshot says only that the task runs. */
const isStart = ({ details: { status } }: Snapshot): boolean => status === 'inProgress'

/**
 * Writes a batch. If Cassandra refuses it, each task is written alone: one task that cannot be written must not fail
 * the others.
 */
const writeApart = async (write: WriteTogether, snapshots: readonly Snapshot[]): Promise<readonly PromiseSettledResult<void>[]> => {
  const [together] = await Promise.allSettled([write(snapshots)])
  const isRefused = together.status === 'rejected' && ['MISCONFIGURED', 'TOO_LARGE'].includes(codeOf(together.reason) ?? '')
  if (!isRefused || snapshots.length === 1) return snapshots.map(() => together)
  return Promise.allSettled(snapshots.map((snapshot) => write([snapshot])))
}
