import { decodeNotice, encodeNotice } from '@taskledger/core/codec'
import type { Logger, TaskNotice } from '@taskledger/core/ports'

/** A message of notices may have so many bytes: large enough to be worth its way, small enough not to hold up others. */
const batchBytes = 128 * 1024
/** So many lines of one message may be what no codec wrote before the rest is left unread. */
const patience = 20

/** A notice as it goes on its way: a line of text. */
export const lineOf = (notice: TaskNotice): Buffer => Buffer.from(`${encodeNotice(notice)}\n`)

/** The lines in messages, in order. */
export const batchesOf = (lines: readonly Buffer[]): readonly Buffer[] => {
  const batches: Buffer[] = []
  let begin = 0
  let bytes = 0
  for (const [index, { length }] of lines.entries()) {
    if (bytes > 0 && bytes + length > batchBytes) {
      batches.push(Buffer.concat(lines.slice(begin, index)))
      begin = index
      bytes = 0
    }
    bytes += length
  }
  if (begin < lines.length) batches.push(Buffer.concat(lines.slice(begin)))
  return batches
}

/** The notices of a message. What is none is skipped, and the log has it. */
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
      if (++skipped === patience) break
    }
  }
  if (skipped > 0 || content.length === 0) logger.warn({ err: firstError, skipped, bytes: content.length }, 'skipped what is no notice')
  return notices
}
