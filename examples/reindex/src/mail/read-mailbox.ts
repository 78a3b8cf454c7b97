import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { FileName } from './files.ts'
import { fileNamed, namesIn, openFile } from './files.ts'
import type { Mailbox, Place, RawMessage, StoredMessage } from './mailbox.ts'
import { maxMessageBytes } from './mailbox.ts'
import { listMaildir, readFromMaildir } from './maildir.ts'
import { splitMbox } from './split-mbox.ts'

/**
 * Reads the messages of a mailbox one after the other, from the position of an earlier reader on.
 *
 * @throws `NOT_AN_MBOX`, and the errors of the file system.
 */
export const readMailbox = (mailbox: Mailbox, from?: Place): AsyncIterable<StoredMessage> => {
  switch (mailbox.kind) {
    case 'mbox':
      return readMbox(mailbox.path, from)
    case 'maildir':
      return readMaildir(mailbox.path, from)
    case 'eml':
      return readEml(mailbox.path, from)
  }
}

async function* readMbox(path: string, from: Place | undefined): AsyncGenerator<StoredMessage> {
  // Messages that are appended meanwhile are read the next time.
  const { size } = await stat(path)
  if (size === 0) return
  if (from?.position === size) return
  const position = from !== undefined && (await isBeginningAt(path, from.position)) ? from.position : 0
  const chunks: AsyncIterable<Uint8Array> = createReadStream(path, { start: position, end: size - 1, highWaterMark: 256 * 1024 })
  for await (const { position: at, end, bytes, isCut } of splitMbox(chunks, { position }))
    yield { where: `byte ${at}`, flags: '', next: { position: end, size }, read: () => Promise.resolve({ bytes, isCut }) }
}

/** A mail program may have rewritten the file since. */
const isBeginningAt = async (path: string, position: number): Promise<boolean> => {
  await using file = await openFile(path)
  const { buffer } = await file.read(Buffer.alloc(5), 0, 5, position)
  return buffer.toString('latin1') === 'From '
}

async function* readMaildir(path: string, from: Place | undefined): AsyncGenerator<StoredMessage> {
  const messages = await listMaildir(path)
  for (const [index, { key, flags, file }] of messages.entries()) {
    if (from?.after !== undefined && key <= from.after) continue
    const next = { position: index + 1, size: messages.length, after: key }
    yield { key, where: file.name, flags, next, read: () => readFromMaildir(path, key, file, readFile) }
  }
}

async function* readEml(path: string, from: Place | undefined): AsyncGenerator<StoredMessage> {
  const files = await listEml(path)
  for (const [index, file] of files.entries()) {
    if (from?.after !== undefined && file.name <= from.after) continue
    const next = { position: index + 1, size: files.length, after: file.name }
    yield { where: file.name, flags: '', next, read: () => readFile(file) }
  }
}

const listEml = async (path: string): Promise<readonly FileName[]> => {
  if (!(await stat(path)).isDirectory()) return [fileNamed(dirname(path), Buffer.from(basename(path)))]
  return (await namesIn(path)).filter(({ name }) => name.toLowerCase().endsWith('.eml')).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Reads a file with one message, up to the maximum size. */
const readFile = async ({ path }: FileName): Promise<RawMessage> => {
  await using file = await openFile(path)
  const { size } = await file.stat()
  const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, maxMessageBytes)), 0, undefined, 0)
  return { bytes: buffer.subarray(0, bytesRead), isCut: size > maxMessageBytes }
}
