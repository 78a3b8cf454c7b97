import { decodeProgress, encodeProgress } from '@taskledger/core/codec'
import type { CallOptions, TaskDetails, TaskLife, TaskProgress, UnreadableRow } from '@taskledger/core/ports'
import { codeOf, isFinalStatus, isUnreadableRow, mergeProgress } from '@taskledger/core/ports'
import { progressTimestamp, removedProgressTimestamp } from './timestamps.ts'
import type { Row, Session } from '../../connection/session.ts'

/** A row expires thirty days after the last report. */
const ttlSeconds = 30 * 86_400

/** How many tasks one request reads: each is its own partition, and the coordinator has to ask other hosts for it. */
const tasksAtOnce = 20

/**
 * The progress of the tasks: a row for each life of a task, which every report overwrites. The timestamp is made of
 * attempt and sequence, so that the last report wins without a read. Attempts count from 1 again in a new life, so a
 * life has a row of its own: reports and the removal of an earlier life never hide its reports. The row of a task that
 * has ended is not read, and expires.
 */
export class ProgressTable {
  readonly #session: Session
  readonly #cql: ReturnType<typeof statementsOf>

  constructor(session: Session) {
    this.#session = session
    this.#cql = statementsOf(session)
  }

  async save(task: TaskLife, progress: TaskProgress, options: CallOptions): Promise<void> {
    const params = [...this.#keyOf(task), encodeProgress(progress), progressTimestamp(progress)]
    await this.#session.execute(this.#cql.insert, params, { ...options, isRepeatable: true })
  }

  async of(task: TaskLife, options: CallOptions): Promise<TaskProgress | undefined> {
    const [row] = await this.#session.execute(this.#cql.select, this.#keyOf(task), options)
    return row === undefined ? undefined : this.#read(row)
  }

  /** The tasks with their latest progress. Tasks that have ended or never began have none, and are not looked up. */
  async addedTo(listed: readonly (TaskDetails | UnreadableRow)[], options: CallOptions): Promise<readonly (TaskDetails | UnreadableRow)[]> {
    const running = listed.filter((row) => !isUnreadableRow(row) && !isFinalStatus(row.status) && row.attempt > 0)
    const ids = [...new Set(running.map(({ taskId }) => taskId))]
    if (ids.length === 0) return listed
    const requests: Promise<readonly Row[]>[] = []
    for (let at = 0; at < ids.length; at += tasksAtOnce)
      requests.push(this.#session.execute(this.#cql.selectMany, [this.#session.prefix, ids.slice(at, at + tasksAtOnce)], options))
    const rows = (await Promise.all(requests)).flat()
    const byLife = new Map(rows.map((row) => [lifeKey(row['task_id'], row['created_at'] as Date), row]))
    return listed.map((task) => {
      const row = byLife.get(lifeKey(task.taskId, new Date(task.createdAt)))
      return row === undefined || isUnreadableRow(task) ? task : mergeProgress(task, this.#read(row))
    })
  }

  async remove(task: TaskLife, options: CallOptions): Promise<void> {
    const params = [removedProgressTimestamp, ...this.#keyOf(task)]
    await this.#session.execute(this.#cql.remove, params, { ...options, isRepeatable: true })
  }

  #keyOf({ taskId, createdAt }: TaskLife): readonly [string, string, Date] {
    return [this.#session.prefix, taskId, new Date(createdAt)]
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

const lifeKey = (taskId: unknown, createdAt: Date): string => `${String(taskId)} ${createdAt.getTime()}`

const statementsOf = (session: Session) => {
  const table = session.table('task_progress')
  const life = 'prefix = ? AND task_id = ? AND created_at = ?'
  return {
    insert: `INSERT INTO ${table} (prefix, task_id, created_at, progress) VALUES (?, ?, ?, ?) USING TIMESTAMP ? AND TTL ${ttlSeconds}`,
    select: `SELECT task_id, progress FROM ${table} WHERE ${life}`,
    selectMany: `SELECT task_id, created_at, progress FROM ${table} WHERE prefix = ? AND task_id IN ?`,
    remove: `DELETE FROM ${table} USING TIMESTAMP ? WHERE ${life}`,
  }
}
