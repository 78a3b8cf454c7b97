import { join } from 'node:path'
import type { FileName } from './files.ts'
import { namesIn } from './files.ts'
import type { RawMessage } from './mailbox.ts'

/** A message of a Maildir. */
export interface MaildirMessage {
  /** The part of the file name that stays when flags change or the message moves from `new` to `cur`. */
  readonly key: string
  readonly flags: string
  readonly file: FileName
}

/** Flags follow `:2,`. If file names cannot have a colon, programs write a semicolon or an exclamation mark. */
const nameAndFlags = /^(.+?)(?:[:;!]2,([A-Za-z]*))?$/

/** The messages of a Maildir, in the order of their keys, which is roughly that of their delivery. */
export const listMaildir = async (path: string): Promise<readonly MaildirMessage[]> => {
  const messages = new Map<string, MaildirMessage>()
  for (const folder of ['cur', 'new'])
    for (const file of await namesIn(join(path, folder))) {
      const [, key, flags = ''] = nameAndFlags.exec(file.name) ?? []
      if (key === undefined || file.name.startsWith('.') || messages.has(key)) continue
      messages.set(key, { key, flags, file })
    }
  return [...messages.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

/** Reads a message, even if a mail program renames it meanwhile; undefined if it was removed. */
export const readFromMaildir = async (
  path: string,
  key: string,
  file: FileName,
  read: (file: FileName) => Promise<RawMessage>,
): Promise<RawMessage | undefined> => {
  try {
    return await read(file)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  const renamed = (await listMaildir(path)).find((message) => message.key === key)
  if (renamed === undefined || renamed.file.name === file.name) return undefined
  return read(renamed.file)
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'

/** `.Sent.2025` of Maildir++ is the folder `Sent/2025`; other letters than ASCII are in the modified UTF-7 of IMAP. */
export const folderName = (directory: string): string =>
  decodeModifiedUtf7(directory.startsWith('.') ? directory.slice(1).replaceAll('.', '/') : directory)

const decodeModifiedUtf7 = (text: string): string =>
  text.replaceAll(/&([A-Za-z0-9+,]*)-/g, (_, base64: string) => {
    if (base64 === '') return '&'
    const bytes = Buffer.from(base64.replaceAll(',', '/'), 'base64')
    return bytes
      .subarray(0, bytes.length & ~1)
      .swap16()
      .toString('utf16le')
  })
