import { decodeNotice, encodeNotice } from '@taskledger/core/codec'
import type { Logger, TaskNotice } from '@taskledger/core/ports'

/** The size of a message of notices, in bytes: large enough to be efficient, small enough not to delay other messages. */
const maxBatchBytes = 128 * 1024
/** After this many lines that cannot be decoded the rest of a message is skipped. */
const maxSkipped = 20

/** A notice as it is sent: one line of text. */
export const lineOf = (notice: TaskNotice): Buffer => Buffer.from(`${encodeNotice(notice)}\n`)

/** Joins the lines into messages, in order. */
export const batchesOf = (lines: readonly Buffer[]): readonly Buffer[] => {
  const batches: Buffer[] = []
  let begin = 0
  let bytes = 0
  for (const [index, { length }] of lines.entries()) {
    if (bytes > 0 && bytes + length > maxBatchBytes) {
      batches.push(Buffer.concat(lines.slice(begin, index)))
      begin = index
      bytes = 0
    }
    bytes += length
  }
  if (begin < lines.length) batches.push(Buffer.concat(lines.slice(begin)))
  return batches
}

/** The notices of a message. Skips and logs lines that cannot be decoded. */
export const noticesOf = (content: Buffer, logger: Logger): readonly TaskNotice[] => {
  const notices: TaskNotice[] = []
  let skipped = 0
  let firstError: unknown
  for (const line of content.toString().split('\n')) {
    if (line === '') continue
    try {
      notices.push(decodeNotice(line))
    } catch (error) {
      firstError ??= error
      if (++skipped === maxSkipped) break
    }
  }
  if (skipped > 0 || content.length === 0)
    logger.warn({ err: firstError, skipped, bytes: content.length }, 'skipped notices that cannot be decoded')
  return notices
}
