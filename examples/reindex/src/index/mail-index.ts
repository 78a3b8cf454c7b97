import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Mailbox } from '../mail/mailbox.ts'
import type { Mail } from '../mail/parse-mail.ts'
import { joined, separated } from './words.ts'

/** One pass through a mailbox from its beginning to its end, perhaps in several attempts. */
export interface Pass {
  readonly mailbox: number
  readonly pass: number
}

/** A message of the mailbox that the index has already. */
export interface KnownMessage {
  readonly key: string
  readonly place: string
  readonly flags: string
}

/** A message that the index does not have yet. */
export interface NewMessage extends KnownMessage {
  readonly mail: Mail
}

/** A result of a search. */
export interface Hit {
  readonly mailbox: string
  /** The place in the mailbox: a file name, or a position. */
  readonly place: string
  readonly flags: string
  readonly date?: number
  readonly subject: string
  readonly sender: string
  /** The names of the attachments. */
  readonly attachments: readonly string[]
  /** The part of the text with the words, each between {@link hitBegin} and {@link hitEnd}, or its beginning if the words are elsewhere. */
  readonly snippet: string
}

/** Control characters, which a shown text never has. */
export const hitBegin = '\u0001'
export const hitEnd = '\u0002'

/** How many rows are deleted at a time, so that other tasks can run in between. */
const sweepRows = 500

/**
 * The full-text index. Every call is synchronous, and at most one transaction: several indexes on one file, in one or in many processes,
 * never block one another for longer.
 */
export class MailIndex {
  readonly #database: DatabaseSync
  readonly #statements: ReturnType<typeof prepareAll>

  /** Use `openIndex`. */
  constructor(database: DatabaseSync) {
    this.#database = database
    this.#statements = prepareAll(database)
  }

  /** Begins a pass through a mailbox. */
  begin({ path, name }: Mailbox): Pass {
    const row = this.#statements.begin.get(path, name)
    return { mailbox: Number(row?.['id']), pass: Number(row?.['pass']) }
  }

  /** Continues a pass; undefined if it began in another index. */
  resume({ path }: Mailbox, pass: number): Pass | undefined {
    const row = this.#statements.resume.get(path, pass)
    return row === undefined ? undefined : { mailbox: Number(row['id']), pass }
  }

  has({ mailbox }: Pass, key: string): boolean {
    return this.#statements.has.get(mailbox, key) !== undefined
  }

  /** Writes some messages of a mailbox, all or none. */
  write({ mailbox, pass }: Pass, added: readonly NewMessage[], known: readonly KnownMessage[]): void {
    this.#transaction(() => {
      for (const { key, place, flags, mail } of added) {
        const { subject, sender, recipients, attachments, text, date = null } = mail
        const words = [subject, sender, recipients, attachments.join('\n'), text].map(separated)
        this.#statements.add.run(mailbox, key, pass, place, flags, date, ...words)
      }
      for (const { key, place, flags } of known) this.#statements.keep.run(pass, place, flags, mailbox, key)
    })
  }

  /** Removes some messages that a finished pass did not find, and gives their number: 0 once none are left. */
  sweep({ mailbox, pass }: Pass): number {
    return Number(this.#statements.sweep.run(mailbox, pass, sweepRows).changes)
  }

  /** The best matches of a query, the best first. `queryOf` makes the query. */
  search(query: string, limit: number): readonly Hit[] {
    return this.#statements.search
      .all(hitBegin, hitEnd, query, limit)
      .map(({ mailbox, place, flags, date, subject, sender, attachments, snippet }) => ({
        mailbox: String(mailbox),
        place: String(place),
        flags: String(flags),
        ...(date === null ? {} : { date: Number(date) }),
        subject: joined(String(subject)),
        sender: joined(String(sender)),
        attachments: attachments === '' ? [] : joined(String(attachments)).split('\n'),
        snippet: joined(String(snippet)),
      }))
  }

  /** The number of messages that match a query. */
  count(query: string): number {
    return Number(this.#statements.count.get(query)?.['count'])
  }

  /** The number of messages. */
  get size(): number {
    return Number(this.#statements.size.get()?.['count'])
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #transaction(write: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      write()
      this.#database.exec('COMMIT')
    } catch (error) {
      // If the disk is full, SQLite has rolled the transaction back already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }
}

const prepareAll = (database: DatabaseSync) => {
  const prepare = (sql: string): StatementSync => database.prepare(sql)
  return {
    begin: prepare(`
      INSERT INTO mailbox (path, name, pass) VALUES (?, ?, 1)
      ON CONFLICT (path) DO UPDATE SET name = excluded.name, pass = pass + 1
      RETURNING id, pass`),
    resume: prepare('SELECT id FROM mailbox WHERE path = ? AND pass >= ?'),
    has: prepare('SELECT 1 FROM message WHERE mailbox = ? AND key = ?'),
    add: prepare(`
      INSERT INTO message (mailbox, key, pass, place, flags, date, subject, sender, recipients, attachments, text)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (mailbox, key) DO UPDATE SET pass = max(pass, excluded.pass), place = excluded.place, flags = excluded.flags`),
    keep: prepare('UPDATE message SET pass = max(pass, ?), place = ?, flags = ? WHERE mailbox = ? AND key = ?'),
    sweep: prepare('DELETE FROM message WHERE id IN (SELECT id FROM message WHERE mailbox = ? AND pass < ? LIMIT ?)'),
    // A word in the subject weighs more than one in the text.
    search: prepare(`
      SELECT mailbox.name AS mailbox, place, flags, date, message.subject, message.sender, message.attachments, snippet(words, 4, ?, ?, '…', 24) AS snippet
      FROM words JOIN message ON message.id = words.rowid JOIN mailbox ON mailbox.id = message.mailbox
      WHERE words MATCH ?
      ORDER BY bm25(words, 6, 4, 2, 3, 1), date DESC
      LIMIT ?`),
    count: prepare('SELECT count(*) AS count FROM words WHERE words MATCH ?'),
    size: prepare('SELECT count(*) AS count FROM message'),
  }
}
