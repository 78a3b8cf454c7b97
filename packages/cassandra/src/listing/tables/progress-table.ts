import { decodeProgress, encodeProgress } from '@taskledger/core/codec'
import type { CallOptions, TaskDetails, TaskId, TaskProgress, UnreadableRow } from '@taskledger/core/ports'
import { codeOf, isFinalStatus, isUnreadableRow, mergeProgress } from '@taskledger/core/ports'
import { progressTimestamp } from './timestamps.ts'
import type { Row, Session } from '../../connection/session.ts'

/** A row expires thirty days after the last report. */
const ttlSeconds = 30 * 86_400

/** How many tasks one request reads: each is its own partition, and the coordinator has to ask other hosts for it. */
const tasksAtOnce = 20

/**
 * The progress of the tasks: a row for each task, which every report overwrites. The timestamp is made of attempt and
 * sequence, so that the last report wins without a read. The row of a task that has ended is not read, and expires.
 */
export class ProgressTable {
  readonly #session: Session
  readonly #cql: ReturnType<typeof statementsOf>

  constructor(session: Session) {
    this.#session = session
    this.#cql = statementsOf(session)
  }

  async save(taskId: TaskId, progress: TaskProgress, options: CallOptions): Promise<void> {
    const params = [this.#session.prefix, taskId, encodeProgress(progress), progressTimestamp(progress)]
    await this.#session.execute(this.#cql.insert, params, { ...options, isRepeatable: true })
  }

  async of(taskId: TaskId, options: CallOptions): Promise<TaskProgress | undefined> {
    const [row] = await this.#session.execute(this.#cql.select, [this.#session.prefix, taskId], options)
    return row === undefined ? undefined : this.#read(row)
  }

  /** The tasks with their latest progress. Tasks that have ended or never began have none, and are not looked up. */
  async addedTo(listed: readonly (TaskDetails | UnreadableRow)[], options: CallOptions): Promise<readonly (TaskDetails | UnreadableRow)[]> {
    const ids = listed.flatMap((row) => (isUnreadableRow(row) || isFinalStatus(row.status) || row.attempt === 0 ? [] : row.taskId))
    if (ids.length === 0) return listed
    const requests: Promise<readonly Row[]>[] = []
    for (let at = 0; at < ids.length; at += tasksAtOnce)
      requests.push(this.#session.execute(this.#cql.selectMany, [this.#session.prefix, ids.slice(at, at + tasksAtOnce)], options))
    const rows = (await Promise.all(requests)).flat()
    const byId = new Map(rows.map((row) => [row['task_id'], this.#read(row)]))
    return listed.map((row) => (isUnreadableRow(row) ? row : mergeProgress(row, byId.get(row.taskId))))
  }

  /**
   * Deletes the row with the timestamp of its last report. A later timestamp would hide all reports of a new task of
   * the same id, whose attempts count from 1 again. This timestamp hides only those up to the removed task's last report.
   */
  async remove(taskId: TaskId, options: CallOptions): Promise<void> {
    const [row] = await this.#session.execute(this.#cql.select, [this.#session.prefix, taskId], options)
    if (row === undefined) return
    const params = [String(row['written']), this.#session.prefix, taskId]
    await this.#session.execute(this.#cql.remove, params, { ...options, isRepeatable: true })
  }

  #read(row: Row): TaskProgress | undefined {
    try {
      return decodeProgress(String(row['progress']))
    } catch (err) {
      if (codeOf(err) !== 'MALFORMED') throw err
      this.#session.logger.warn({ err, taskId: row['task_id'] }, 'left out the progress of a task: it cannot be read')
      return undefined
    }
  }
}

const statementsOf = (session: Session) => {
  const table = session.table('task_progress')
  return {
    insert: `INSERT INTO ${table} (prefix, task_id, progress) VALUES (?, ?, ?) USING TIMESTAMP ? AND TTL ${ttlSeconds}`,
    select: `SELECT task_id, progress, WRITETIME(progress) AS written FROM ${table} WHERE prefix = ? AND task_id = ?`,
    selectMany: `SELECT task_id, progress FROM ${table} WHERE prefix = ? AND task_id IN ?`,
    remove: `DELETE FROM ${table} USING TIMESTAMP ? WHERE prefix = ? AND task_id = ?`,
  }
}
