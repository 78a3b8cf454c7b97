import type { TaskDetails } from '@taskledger/core/ports'
import { codeOf } from '@taskledger/core/ports'
import { GroupCommit } from '../connection/group-commit.ts'

/** A version of a task's row, encoded when it was given: what its owner does to it afterwards changes nothing. */
export interface Snapshot {
  readonly details: TaskDetails
  /** The details as text. */
  readonly text: string
}

/** A place in a lane, or on the way to it, for the newest version of a task. */
interface Save {
  snapshot: Snapshot
  isAboard: boolean
  /** Ends the wait for the end of the task. */
  hurry: () => void
  /** Resolves when this version, or a newer one, is durable. */
  done: Promise<void>
}

/** Writes tasks that share their partitions, together. */
export type WriteTogether = (snapshots: readonly Snapshot[]) => Promise<void>

/**
 * How long the row of a start waits for the end of its task, in milliseconds. Most tasks of a burst are over by then, and are written once less;
 * of the others the list says a moment later that they run.
 */
export const startWaitsMs = 100

/** How many tasks go together, and how many bytes of details: a mutation may be no larger than half a segment of the commit log (16 MiB). */
const [maxTasks, maxBytes] = [100, 1_048_576]

/**
 * Group commit for rows. Of the tasks that share their partitions one batch at most is under way; a task that waits for the next goes along in its newest version
 * only, and whoever saved an older one is answered by it.
 */
export class Saves {
  readonly #lanes: GroupCommit<Save>
  /** The latest place taken for a task, until it is durable. */
  readonly #latest = new Map<string, Save>()

  constructor(write: WriteTogether) {
    this.#lanes = new GroupCommit<Save>({
      maxItems: maxTasks,
      maxBytes,
      sizeOf: ({ snapshot }) => snapshot.text.length,
      idOf: ({ snapshot }) => snapshot.details.taskId,
      flush: async (_key, saves) => {
        for (const save of saves) save.isAboard = true
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
      if (!latest.isAboard) {
        latest.snapshot = snapshot
        if (!isStart(snapshot)) latest.hurry()
        return latest.done
      }
    }
    const save: Save = { snapshot, isAboard: false, hurry: () => {}, done: Promise.resolve() }
    save.done = this.#write(partitions, save).finally(() => {
      if (this.#latest.get(id) === save) this.#latest.delete(id)
    })
    this.#latest.set(id, save)
    return save.done
  }

  async #write(partitions: string, save: Save): Promise<void> {
    if (isStart(save.snapshot)) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, startWaitsMs)
        save.hurry = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    await this.#lanes.add(partitions, save)
  }
}

/** Whether all that it tells is that a task runs. */
const isStart = ({ details: { status } }: Snapshot): boolean => status === 'inProgress'

/** A batch that the engine refuses falls apart: what it does not take of one task is no fault of the others. */
const writeApart = async (write: WriteTogether, snapshots: readonly Snapshot[]): Promise<readonly PromiseSettledResult<void>[]> => {
  const [together] = await Promise.allSettled([write(snapshots)])
  const isRefused = together.status === 'rejected' && ['MISCONFIGURED', 'TOO_LARGE'].includes(codeOf(together.reason) ?? '')
  if (!isRefused || snapshots.length === 1) return snapshots.map(() => together)
  return Promise.allSettled(snapshots.map((snapshot) => write([snapshot])))
}
