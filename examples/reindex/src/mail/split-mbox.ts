import { maxMessageBytes } from './mailbox.ts'
import type { RawMessage } from './mailbox.ts'

/** A message of an mbox, unquoted, without its `From ` line. */
export interface MboxMessage extends RawMessage {
  /** The position of its `From ` line, in bytes. */
  readonly position: number
  /** The position of the next message. */
  readonly end: number
}

/** The file does not begin like an mbox. */
export class NotAnMbox extends Error {
  readonly code = 'NOT_AN_MBOX'

  constructor() {
    super('it is not an mbox: the first line does not begin with "From "')
    this.name = 'NotAnMbox'
  }
}

export interface SplitOptions {
  /** The position of the chunks in the file, at a `From ` line. Default 0. */
  readonly position?: number
  readonly maxBytes?: number
}

const newline = 0x0a
const marker = Buffer.from('\nFrom ')

/** Enough to find a marker that is split between two chunks, and the line before it. */
const keptBytes = 8

/** A longer line is not a `From ` line. */
const maxLineBytes = 1000

/**
 * Splits an mbox while it is read, and holds at most one message and one chunk. Lines end in LF or CRLF. Quoting is undone as in mboxrd (one
 * `>` less before `From `), which is right for mboxo too, unless its author typed the `>`.
 *
 * @throws {@link NotAnMbox}
 */
export async function* splitMbox(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: SplitOptions = {},
): AsyncGenerator<MboxMessage> {
  const splitter = new Splitter(options.position ?? 0, options.maxBytes ?? maxMessageBytes)
  for await (const chunk of chunks) yield* splitter.add(chunk)
  yield* splitter.end()
}

/** An empty line before the first `From ` line makes it like every other one. */
const before = '\n\n'

class Splitter {
  readonly #maxBytes: number
  #window: Buffer = Buffer.from(before)
  /** The position of the window in the file. */
  #windowAt: number
  /** The position in the window of the first byte that no message has yet. */
  #fresh = before.length
  #message: Collector | undefined

  constructor(position: number, maxBytes: number) {
    this.#windowAt = position - before.length
    this.#maxBytes = maxBytes
  }

  *add(chunk: Uint8Array): Generator<MboxMessage> {
    this.#window = Buffer.concat([this.#window, chunk])
    const undecided = yield* this.#split(false)
    this.#handOn(Math.max(this.#fresh, Math.min(undecided, this.#window.length - keptBytes)))
  }

  *end(): Generator<MboxMessage> {
    yield* this.#split(true)
    this.#handOn(this.#window.length)
    if (this.#message !== undefined) yield this.#message.end(this.#windowAt + this.#window.length)
  }

  /** Gives the messages that end in the window, and the index of a marker whose line continues in the next chunk. */
  *#split(isEnd: boolean): Generator<MboxMessage, number> {
    const window = this.#window
    let from = Math.max(this.#fresh - 1, 0)
    for (let at = window.indexOf(marker, from); at !== -1; at = window.indexOf(marker, from)) {
      const lineEnd = window.indexOf(newline, at + 1)
      if (lineEnd === -1 && !isEnd && window.length - at < maxLineBytes) return at
      const end = lineEnd === -1 ? window.length : lineEnd
      from = at + 1
      if (this.#message !== undefined && !isSeparator(window, at, end)) continue
      const beginsAt = this.#windowAt + at + 1
      this.#handOn(Math.max(at + 1, this.#fresh), { keepsWindow: true })
      if (this.#message !== undefined) yield this.#message.end(beginsAt)
      this.#message = new Collector(beginsAt, this.#maxBytes)
      this.#fresh = Math.min(end + 1, window.length)
      // The newline of this line can belong to the next marker.
      from = end
    }
    return Infinity
  }

  /** Gives the bytes before an index of the window to the message, and drops them except for the last ones. */
  #handOn(index: number, { keepsWindow = false } = {}): void {
    const bytes = this.#window.subarray(this.#fresh, index)
    if (this.#message === undefined) checkBlank(bytes)
    else this.#message.add(bytes)
    this.#fresh = index
    if (keepsWindow) return
    const drop = Math.max(0, index - keptBytes)
    this.#window = this.#window.subarray(drop)
    this.#windowAt += drop
    this.#fresh -= drop
  }
}

/** Mail programs agree on a weekday and a time, and on nothing between them. */
const weekdayAndTime = /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b.*\b\d{1,2}:\d{2}\b/
const time = /\b\d{1,2}:\d{2}\b/

/**
 * Whether the line at a marker begins a message. Some programs write the line without an address and a time, some omit the empty line before
 * it, some do not quote. A sentence that begins with "From " seldom contains a time, and hardly ever a weekday too.
 */
const isSeparator = (window: Buffer, at: number, end: number): boolean => {
  if (end - at > maxLineBytes) return false
  const rest = window.toString('latin1', at + marker.length, end).trim()
  const isAfterBlank = window[at - 1] === newline || (window[at - 1] === 0x0d && window[at - 2] === newline)
  return isAfterBlank ? rest === '' || time.test(rest) : weekdayAndTime.test(rest)
}

/** Only blank lines and a byte order mark may come before the first message. */
const checkBlank = (bytes: Buffer): void => {
  if (/[^\s\u00ef\u00bb\u00bf]/.test(bytes.toString('latin1', 0, bytes.length))) throw new NotAnMbox()
}

/** Collects one message, up to the maximum size. */
class Collector {
  readonly #position: number
  readonly #maxBytes: number
  readonly #parts: Buffer[] = []
  #bytes = 0
  #isCut = false

  constructor(position: number, maxBytes: number) {
    this.#position = position
    this.#maxBytes = maxBytes
  }

  add(bytes: Buffer): void {
    if (bytes.length === 0) return
    const kept = bytes.subarray(0, this.#maxBytes - this.#bytes)
    this.#isCut ||= kept.length < bytes.length
    this.#bytes += kept.length
    if (kept.length > 0) this.#parts.push(kept)
  }

  end(end: number): MboxMessage {
    const bytes = unquoted(withoutBlankEnd(Buffer.concat(this.#parts)))
    return { position: this.#position, end, bytes, isCut: this.#isCut }
  }
}

/** The empty line at the end belongs to the mbox. */
const withoutBlankEnd = (bytes: Buffer): Buffer => {
  const end = bytes.toString('latin1', Math.max(0, bytes.length - 4))
  return end.endsWith('\r\n\r\n') ? bytes.subarray(0, -2) : end.endsWith('\n\n') ? bytes.subarray(0, -1) : bytes
}

const unquoted = (bytes: Buffer): Buffer =>
  bytes.includes('>From ') ? Buffer.from(bytes.toString('latin1').replaceAll(/^>(>*From )/gm, '$1'), 'latin1') : bytes
