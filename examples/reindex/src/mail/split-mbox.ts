import { mostMessageBytes } from './mailbox.ts'
import type { RawMessage } from './mailbox.ts'

/** A message of an mbox, unquoted, without its `From ` line. */
export interface MboxMessage extends RawMessage {
  /** Where its `From ` line begins, in bytes. */
  readonly position: number
  /** Where the next one begins. */
  readonly end: number
}

/** The file does not begin as an mbox does. */
export class NotAnMbox extends Error {
  readonly code = 'NOT_AN_MBOX'

  constructor() {
    super('it is no mbox: the first line does not begin with "From "')
    this.name = 'NotAnMbox'
  }
}

export interface SplitOptions {
  /** Where in the file the chunks begin: at a `From ` line. Default 0. */
  readonly position?: number
  readonly mostBytes?: number
}

const newline = 0x0a
const marker = Buffer.from('\nFrom ')

/** Enough to see a marker that a chunk cuts in two, and the line before it. */
const keptBytes = 8

/** A longer line is no `From ` line. */
const longestLine = 1000

/**
 * Takes an mbox apart while it is read: no more is held than one message and one chunk. Lines end in LF or CRLF. Quoting is
 * undone as mboxrd has it (one `>` less before `From `), which is right for mboxo too, unless its author typed the `>`.
 *
 * @throws {@link NotAnMbox}
 */
export async function* splitMbox(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: SplitOptions = {},
): AsyncGenerator<MboxMessage> {
  const splitter = new Splitter(options.position ?? 0, options.mostBytes ?? mostMessageBytes)
  for await (const chunk of chunks) yield* splitter.add(chunk)
  yield* splitter.end()
}

/** With an empty line before it, the first `From ` line is found like every other. */
const before = '\n\n'

class Splitter {
  readonly #mostBytes: number
  #window: Buffer = Buffer.from(before)
  /** Where in the file the window begins. */
  #windowAt: number
  /** Where in the window begins what was not handed on yet. */
  #fresh = before.length
  #message: Collector | undefined

  constructor(position: number, mostBytes: number) {
    this.#windowAt = position - before.length
    this.#mostBytes = mostBytes
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

  /** Gives the messages that end in the window, and the index of a marker whose line goes on in the next chunk. */
  *#split(isEnd: boolean): Generator<MboxMessage, number> {
    const window = this.#window
    let from = Math.max(this.#fresh - 1, 0)
    for (let at = window.indexOf(marker, from); at !== -1; at = window.indexOf(marker, from)) {
      const lineEnd = window.indexOf(newline, at + 1)
      if (lineEnd === -1 && !isEnd && window.length - at < longestLine) return at
      const end = lineEnd === -1 ? window.length : lineEnd
      from = at + 1
      if (this.#message !== undefined && !isSeparator(window, at, end)) continue
      const beginsAt = this.#windowAt + at + 1
      this.#handOn(Math.max(at + 1, this.#fresh), { keepsWindow: true })
      if (this.#message !== undefined) yield this.#message.end(beginsAt)
      this.#message = new Collector(beginsAt, this.#mostBytes)
      this.#fresh = Math.min(end + 1, window.length)
      // The newline of this line can belong to the next marker.
      from = end
    }
    return Infinity
  }

  /** Gives what comes before an index of the window to the message, and forgets it but for its last bytes. */
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

/** Between a weekday and a time there may be anything: mail programs do not agree on more. */
const weekdayAndTime = /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b.*\b\d{1,2}:\d{2}\b/
const time = /\b\d{1,2}:\d{2}\b/

/**
 * Whether the line at a marker begins a message. Programs differ: some leave the line bare, some forget the empty line before
 * it, some do not quote. A sentence that begins with "From " is seldom about a time, and hardly ever about a weekday too.
 */
const isSeparator = (window: Buffer, at: number, end: number): boolean => {
  if (end - at > longestLine) return false
  const rest = window.toString('latin1', at + marker.length, end).trim()
  const isAfterBlank = window[at - 1] === newline || (window[at - 1] === 0x0d && window[at - 2] === newline)
  return isAfterBlank ? rest === '' || time.test(rest) : weekdayAndTime.test(rest)
}

/** Blank lines and a byte order mark may stand before the first message, nothing else. */
const checkBlank = (bytes: Buffer): void => {
  if (/[^\s\u00ef\u00bb\u00bf]/.test(bytes.toString('latin1', 0, bytes.length))) throw new NotAnMbox()
}

/** Gathers one message, up to a limit. */
class Collector {
  readonly #position: number
  readonly #mostBytes: number
  readonly #parts: Buffer[] = []
  #bytes = 0
  #isCut = false

  constructor(position: number, mostBytes: number) {
    this.#position = position
    this.#mostBytes = mostBytes
  }

  add(bytes: Buffer): void {
    if (bytes.length === 0) return
    const kept = bytes.subarray(0, this.#mostBytes - this.#bytes)
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
