import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../error-message.ts'
import { MailIndex } from './mail-index.ts'
import { schema, schemaVersion } from './schema.ts'

/** The index cannot be used. The message says why, and what to do. */
export class IndexUnusable extends Error {
  readonly code = 'INDEX_UNUSABLE'

  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'IndexUnusable'
  }
}

/**
 * Opens the index in a folder, and creates both if they do not exist. Several processes may open it.
 *
 * @throws {@link IndexUnusable}
 */
export const openIndex = (folder: string): MailIndex => {
  try {
    mkdirSync(folder, { recursive: true })
    // An index of mail does not belong into a repository.
    writeFileSync(join(folder, '.gitignore'), '*\n')
  } catch (error) {
    throw new IndexUnusable(`the folder ${folder} cannot be written: ${messageOf(error)}`, error)
  }
  return open(join(folder, 'index.db'))
}

/**
 * Opens the index in a folder for searching.
 *
 * @throws {@link IndexUnusable}, also if there is no index.
 */
export const openExistingIndex = (folder: string): MailIndex => {
  const file = join(folder, 'index.db')
  if (statSync(file, { throwIfNoEntry: false }) === undefined)
    throw new IndexUnusable(
      `there is no index in ${folder}: make one first (npm start, or npm start -- reindex PATH), or name its folder with --index`,
    )
  return open(file)
}

/** How long a process waits for the lock of the index, in milliseconds. */
const busyMs = 10_000

const open = (file: string): MailIndex => {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: busyMs })
    // A power cut may lose the last transactions: the mail can be read again.
    switchToWal(database)
    database.exec('PRAGMA synchronous = NORMAL')
    checkFts5(database)
    prepare(database, file)
    return new MailIndex(database)
  } catch (error) {
    database?.close()
    if (error instanceof IndexUnusable) throw error
    throw new IndexUnusable(
      `${file} cannot be used as an index: ${messageOf(error)}. Move it away, or name another folder with --index`,
      error,
    )
  }
}

/**
 * Repeats the one step in which SQLite does not wait for the lock: of processes that create the index at the same moment, it refuses all but
 * one at once.
 */
const switchToWal = (database: DatabaseSync): void => {
  const until = performance.now() + busyMs
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

const sqliteBusy = 5

const isBusy = (error: unknown): boolean => error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy

const checkFts5 = (database: DatabaseSync): void => {
  const [row] = database.prepare("SELECT sqlite_compileoption_used('ENABLE_FTS5') AS has").all()
  if (row?.['has'] !== 1)
    throw new IndexUnusable(
      'this Node was built with an SQLite that has no full-text search (FTS5): use a Node from nodejs.org, 24 or later',
    )
}

const prepare = (database: DatabaseSync, file: string): void => {
  // IMMEDIATE, so that of two processes that create the index one waits for the other.
  database.exec('BEGIN IMMEDIATE')
  const version = database.prepare('PRAGMA user_version').get()?.['user_version']
  if (version === 0) database.exec(schema)
  database.exec('COMMIT')
  if (version !== 0 && version !== schemaVersion)
    throw new IndexUnusable(`${file} was made by another release: move it away, and the next run makes a new one from the mail`)
}
