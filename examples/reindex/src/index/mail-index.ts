import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Mailbox } from '../mail/mailbox.ts'
import type { Mail } from '../mail/parse-mail.ts'
import { joined, separated } from './words.ts'

/** One way through a mailbox from its beginning to its end, perhaps in several attempts. */
export interface Pass {
  readonly mailbox: number
  readonly pass: number
}

/** A message that the index holds already: it is still there. */
export interface KnownMessage {
  readonly key: string
  readonly place: string
  readonly flags: string
}

/** A message that the index does not hold yet. */
export interface NewMessage extends KnownMessage {
  readonly mail: Mail
}

/** What a search found. */
export interface Hit {
  readonly mailbox: string
  /** Where in the mailbox: a file name, or a position. */
  readonly place: string
  readonly flags: string
  readonly date?: number
  readonly subject: string
  readonly sender: string
  /** The names of the attachments. */
  readonly attachments: readonly string[]
  /** The part of the text where the words are, these between {@link hitBegin} and {@link hitEnd}; its beginning where they are elsewhere. */
  readonly snippet: string
}

/** Control characters, which are not in the texts that are shown. */
export const hitBegin = '\u0001'
export const hitEnd = '\u0002'

/** How many rows go at once, so that other tasks have their turn. */
const sweepRows = 500

/**
 * The full-text index. Every call is synchronous, and a whole transaction at most: several of these on one file, in one
 * process or in many, never hold one another up for longer.
 */
export class MailIndex {
  readonly #database: DatabaseSync
  readonly #statements: ReturnType<typeof prepareAll>

  /** Use `openIndex`. */
  constructor(database: DatabaseSync) {
    this.#database = database
    this.#statements = prepareAll(database)
  }

  /** Begins to go through a mailbox. */
  begin({ path, name }: Mailbox): Pass {
    const row = this.#statements.begin.get(path, name)
    return { mailbox: Number(row?.['id']), pass: Number(row?.['pass']) }
  }

  /** Goes on with a pass, or gives nothing where it was begun in another index. */
  resume({ path }: Mailbox, pass: number): Pass | undefined {
    const row = this.#statements.resume.get(path, pass)
    return row === undefined ? undefined : { mailbox: Number(row['id']), pass }
  }

  has({ mailbox }: Pass, key: string): boolean {
    return this.#statements.has.get(mailbox, key) !== undefined
  }

  /** Writes what a stretch of the mailbox held, all of it or nothing. */
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

  /** Removes some of what the pass did not meet, after its end, and gives their number: 0 once none are left. */
  sweep({ mailbox, pass }: Pass): number {
    return Number(this.#statements.sweep.run(mailbox, pass, sweepRows).changes)
  }

  /** The messages that fit a query best, the best first. Make the query with `queryOf`. */
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

  /** How many messages fit a query. */
  count(query: string): number {
    return Number(this.#statements.count.get(query)?.['count'])
  }

  /** How many messages there are. */
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
      // Where the disk is full, the transaction has ended by itself.
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
    // A word in the subject says more than one in the text.
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
