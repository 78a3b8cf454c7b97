import type { Address, Attachment, Email } from 'postal-mime'
import PostalMime from 'postal-mime'
import { messageOf } from '../error-message.ts'
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

/** Parses a message as far as possible. It never rejects: problems are in `defects`. */
export const parseMail = async ({ bytes, isCut }: RawMessage): Promise<Mail> => {
  const stored = inUnicode(withoutPrelude(asBuffer(bytes)))
  const defects = [...(isCut ? ['it is too large: only its beginning was read'] : []), ...defectsOf(stored, isCut)]
  // A message without a header is all text.
  const message = defects.includes(noHeader) ? Buffer.concat([Buffer.from('\n'), stored]) : stored
  try {
    const mail = await mailOf(message, maxDepth)
    const isLost = defects.length > 0 && mail.text === ''
    return { ...mail, ...(isLost ? { text: wordsAfterHead(message) } : {}), defects }
  } catch (error) {
    const defect = `it cannot be parsed: ${messageOf(error)}`
    return { ...(await headOnly(message)), defects: [...defects, defect] }
  }
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

const mailOf = async (message: Uint8Array, depth: number): Promise<Omit<Mail, 'defects'>> => {
  const email = await PostalMime.parse(message)
  const attached = await Promise.all(email.attachments.map((attachment) => textOfAttachment(attachment, depth)))
  const text = [bodyOf(email), ...attached].filter((part) => part !== '').join('\n\n')
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
    return { ...(await mailOf(Buffer.from(head, 'latin1'), 0)), text: rest }
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

const bodyOf = ({ text = '', html }: Email): string => (text.trim() === '' && html !== undefined ? textOfHtml(html) : text)

/** The words of an attached text, or of an attached message. */
const textOfAttachment = async ({ mimeType, content }: Attachment, depth: number): Promise<string> => {
  const bytes = typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content)
  if (mimeType === 'message/rfc822') {
    if (depth === 0) return ''
    const { subject, sender, text } = await mailOf(bytes, depth - 1)
    return [subject, sender, text].join('\n')
  }
  if (!mimeType.startsWith('text/')) return ''
  const text = decode(bytes.subarray(0, maxAttachmentBytes))
  return mimeType === 'text/html' ? textOfHtml(text) : text
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
