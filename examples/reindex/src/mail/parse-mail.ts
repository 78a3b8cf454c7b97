import type { Address, Attachment, Email } from 'postal-mime'
import PostalMime from 'postal-mime'
import { messageOf } from '../error-message.ts'
import { bounded } from './bounds.ts'
import { defectsOf, headEnd, noHeader } from './defects.ts'
import { textOfHtml } from './html-text.ts'
import type { RawMessage } from './mailbox.ts'

/** The indexed parts of a message. */
export interface Mail {
  readonly subject: string
  readonly sender: string
  readonly recipients: string
  /** In milliseconds since 1970; absent without a readable date. */
  readonly date?: number
  readonly text: string
  /** The names of the attachments. */
  readonly attachments: readonly string[]
  /** The defects of the message, in words. */
  readonly defects: readonly string[]
}

/** A novel has half of that: a longer text is data. */
const maxTextCharacters = 1_000_000
const maxAttachmentBytes = 256 * 1024
const maxDepth = 4

/** Parses a message as far as possible, in a bounded number of steps. It never rejects: problems are in `defects`. */
export const parseMail = async (raw: RawMessage): Promise<Mail> => {
  const { message, defects } = prepared(raw)
  const seen = [...defects]
  try {
    const mail = await mailOf(message, { depth: maxDepth, found: (defect) => void seen.push(defect) })
    const isLost = seen.length > 0 && mail.text === ''
    return { ...mail, ...(isLost ? { text: wordsAfterHead(message) } : {}), defects: [...new Set(seen)] }
  } catch (error) {
    return { ...(await headOnly(message)), defects: [...defects, `it cannot be parsed: ${messageOf(error)}`] }
  }
}

/** Parses the head alone, and takes the rest for text. The mail gets the defect that is the reason. */
export const parseHead = async (raw: RawMessage, defect: string): Promise<Mail> => {
  const { message, defects } = prepared(raw)
  return { ...(await headOnly(message)), defects: [...defects, defect] }
}

/** The message in the form that the parser takes, and the defects that can be seen before. */
const prepared = ({ bytes, isCut: isLarge }: RawMessage): { message: Buffer; defects: readonly string[] } => {
  const { message: kept, defect } = bounded(withoutPrelude(asBuffer(bytes)))
  const isCut = isLarge || defect !== undefined
  const stored = inUnicode(kept)
  const defects = [
    ...(isLarge ? ['it is too large: only its beginning was read'] : []),
    ...(defect === undefined ? [] : [defect]),
    ...defectsOf(stored, isCut),
  ]
  // A message without a header is all text.
  return { message: defects.includes(noHeader) ? Buffer.concat([Buffer.from('\n'), stored]) : stored, defects }
}

interface Search {
  /** How many levels of attached messages are read. */
  readonly depth: number
  /** Takes a defect that parsing found. */
  readonly found: (defect: string) => void
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Removes a byte order mark, and the `From ` line of the mbox that the message came from. */
const withoutPrelude = (message: Buffer): Buffer => {
  const start = message.indexOf('\u{feff}') === 0 ? 3 : 0
  const isMboxLine = message.toString('latin1', start, start + 5) === 'From '
  const lineEnd = isMboxLine ? message.indexOf('\n', start) : -1
  return message.subarray(lineEnd === -1 ? start : lineEnd + 1)
}

/** Old programs write headers, or the whole message, in the charset of their machine without naming it: mostly windows-1252. */
const inUnicode = (message: Buffer): Buffer => {
  const isSaid = /charset/i.test(message.toString('latin1', 0, maxAttachmentBytes))
  const end = isSaid ? headEnd(message) : message.length
  const unsaid = message.subarray(0, end)
  if (isUtf8(unsaid)) return message
  return Buffer.concat([Buffer.from(new TextDecoder('windows-1252').decode(unsaid)), message.subarray(end)])
}

const mailOf = async (message: Uint8Array, search: Search): Promise<Omit<Mail, 'defects'>> => {
  const email = await PostalMime.parse(message)
  const attached = await Promise.all(email.attachments.map((attachment) => textOfAttachment(attachment, search)))
  const text = [bodyOf(email, search), ...attached].filter((part) => part !== '').join('\n\n')
  const date = email.date === undefined ? NaN : Date.parse(email.date)
  return {
    subject: oneLine(email.subject ?? ''),
    sender: oneLine(addressesOf(email.from === undefined ? [] : [email.from])),
    recipients: oneLine(addressesOf([...(email.to ?? []), ...(email.cc ?? []), ...(email.bcc ?? [])])),
    ...(Number.isNaN(date) ? {} : { date }),
    text: clean(text).slice(0, maxTextCharacters),
    attachments: email.attachments.flatMap(({ filename, description }) => oneLine(filename ?? description ?? '') || []),
  }
}

/** If the whole message cannot be parsed, its head mostly can, and the rest may have words. */
const headOnly = async (message: Buffer): Promise<Omit<Mail, 'defects'>> => {
  const end = headEnd(message)
  const head = message
    .subarray(0, Math.min(end, 64 * 1024))
    .toString('latin1')
    .replaceAll(/^content-/gim, 'X-Content-')
  const rest = wordsAfterHead(message)
  try {
    return { ...(await mailOf(Buffer.from(head, 'latin1'), { depth: 0, found: () => {} })), text: rest }
  } catch {
    // The head cannot be parsed either.
    return { subject: '', sender: '', recipients: '', text: rest, attachments: [] }
  }
}

/** The body as it is stored. */
const wordsAfterHead = (message: Buffer): string => {
  const end = headEnd(message)
  return clean(decode(message.subarray(end, end + maxAttachmentBytes)))
}

const bodyOf = ({ text = '', html }: Email, search: Search): string =>
  text.trim() === '' && html !== undefined ? wordsOfHtml(html, search) : text

const wordsOfHtml = (html: string, { found }: Search): string => {
  const { text, defect } = textOfHtml(html)
  if (defect !== undefined) found(defect)
  return text
}

/** The words of an attached text, or of an attached message. */
const textOfAttachment = async ({ mimeType, content }: Attachment, search: Search): Promise<string> => {
  const bytes = typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content)
  if (mimeType === 'message/rfc822') {
    if (search.depth === 0) return ''
    const { subject, sender, text } = await mailOf(bytes, { ...search, depth: search.depth - 1 })
    return [subject, sender, text].join('\n')
  }
  if (!mimeType.startsWith('text/')) return ''
  const text = decode(bytes.subarray(0, maxAttachmentBytes))
  return mimeType === 'text/html' ? wordsOfHtml(text, search) : text
}

const addressesOf = (addresses: readonly Address[]): string =>
  addresses
    .map(({ name, address, group }) =>
      group === undefined ? (name === '' ? address : `${name} <${address}>`) : `${name}: ${addressesOf(group)}`,
    )
    .join(', ')

const isUtf8 = (bytes: Uint8Array): boolean => {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

const decode = (bytes: Uint8Array): string => new TextDecoder(isUtf8(bytes) ? 'utf-8' : 'windows-1252').decode(bytes)

/** The database ends a text at NUL, and refuses halves of characters. */
const clean = (text: string): string => text.replaceAll('\0', ' ').toWellFormed().trim()

const oneLine = (text: string): string => clean(text).replaceAll(/\s+/g, ' ')
