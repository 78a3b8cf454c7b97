/** What holds mail: an mbox file, a Maildir folder, or `.eml` files (one of them, or a folder that holds some). */
export const mailboxKinds = ['mbox', 'maildir', 'eml'] as const

export type MailboxKind = (typeof mailboxKinds)[number]

export interface Mailbox {
  /** What people call it. */
  readonly name: string
  readonly kind: MailboxKind
  /** The absolute path: it tells mailboxes apart. */
  readonly path: string
}

/** Where a reader stands in a mailbox: in bytes of an mbox, in messages of anything else. */
export interface Place {
  readonly position: number
  readonly size: number
  /** The key of the last message that was read, where messages have names of their own. */
  readonly after?: string | undefined
}

/** A message as it is stored. */
export interface RawMessage {
  readonly bytes: Uint8Array
  /** It is larger than {@link mostMessageBytes}: only its beginning was read. */
  readonly isCut: boolean
}

/** A message that a reader came upon. */
export interface StoredMessage {
  /** A name that stays with the message in its mailbox; absent where only its content tells it apart. */
  readonly key?: string
  /** Where it is, for people. */
  readonly where: string
  /** The flags of a Maildir (`S` seen, `R` replied, `F` flagged, …). */
  readonly flags: string
  /** Where the mailbox goes on after this message. */
  readonly next: Place
  /** Reads it, or gives nothing where it has vanished since. */
  read(): Promise<RawMessage | undefined>
}

/** More than any mail server lets through: a file that is no mailbox at all must not fill the memory. */
export const mostMessageBytes = 32 * 1024 * 1024
