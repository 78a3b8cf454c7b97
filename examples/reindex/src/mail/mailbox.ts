/** An mbox file, a Maildir folder, or `.eml` files (one file, or a folder with some). */
export const mailboxKinds = ['mbox', 'maildir', 'eml'] as const

export type MailboxKind = (typeof mailboxKinds)[number]

export interface Mailbox {
  /** The name for people. */
  readonly name: string
  readonly kind: MailboxKind
  /** The absolute path, which identifies the mailbox. */
  readonly path: string
}

/** The position of a reader in a mailbox: in bytes of an mbox, in messages of any other kind. */
export interface Place {
  readonly position: number
  readonly size: number
  /** The key of the last message that was read, if messages have names. */
  readonly after?: string | undefined
}

/** A message as it is stored. */
export interface RawMessage {
  readonly bytes: Uint8Array
  /** Whether it is larger than {@link maxMessageBytes}: then only its beginning was read. */
  readonly isCut: boolean
}

/** A message in a mailbox. */
export interface StoredMessage {
  /** A name that the message keeps in its mailbox; absent if only its content identifies it. */
  readonly key?: string
  /** The place for people. */
  readonly where: string
  /** The flags of a Maildir (`S` seen, `R` replied, `F` flagged, …). */
  readonly flags: string
  /** The position after this message. */
  readonly next: Place
  /** Reads it; undefined if it was removed meanwhile. */
  read(): Promise<RawMessage | undefined>
}

/** More than any mail server accepts: a file that is not a mailbox must not fill the memory. */
export const maxMessageBytes = 32 * 1024 * 1024
