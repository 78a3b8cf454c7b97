import type { ListedTasks } from '../src/storage/task-listing.ts'
import { noListedTasks } from '../src/storage/task-listing.ts'

type Row = NonNullable<ReturnType<ListedTasks['rows']['get']>>

/** An empty listing that counts each look at the time of a row, by which rows are found, and at its details. */
export class CountedTasks {
  readonly tasks: ListedTasks
  rowsRead = 0

  constructor() {
    const tasks = noListedTasks()
    const set = tasks.rows.set.bind(tasks.rows)
    tasks.rows.set = (taskId, row) => set(taskId, this.#counted(row))
    this.tasks = tasks
  }

  /** The same object: the listing compares rows by identity. */
  #counted(row: Row): Row {
    let { details } = row
    const { createdAt } = row
    const count = (): void => void this.rowsRead++
    return Object.defineProperties(row, {
      createdAt: {
        get: () => {
          count()
          return createdAt
        },
      },
      details: {
        get: () => {
          count()
          return details
        },
        set: (value: Row['details']) => {
          details = value
        },
      },
    })
  }
}
