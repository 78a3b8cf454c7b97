import { crc32 } from 'node:zlib'
import { TaskledgerError } from '@taskledger/core/ports'

/**
 * One append in the file of a task: a line with its checksum, its expected version, and its events as the codec writes them. JSON escapes tabs
 * and line breaks, so they can separate the parts.
 *
 * It also begins with a line break: a line that a crash has cut short ends where the next append begins, and does no harm.
 */
export const lineOf = (expectedVersion: number, events: readonly string[]): string => {
  const content = [expectedVersion, ...events].join('\t')
  return `\n${checksumOf(content)}\t${content}\n`
}

/**
 * The events of a file, as the codec wrote them. **The order of the lines decides every race**: a line counts if its expected version is the
 * version so far. A line that came second does not count, and neither does a line with a wrong checksum: its writer crashed before it
 * acknowledged the append.
 *
 * @throws `MALFORMED` if a line follows a line that cannot be read. No writer writes such a line, so the file was damaged.
 */
export const historyIn = (file: string): readonly string[] => {
  const history: string[] = []
  for (const line of file.split('\n')) {
    const [checksum, ...content] = line.split('\t')
    if (checksum !== checksumOf(content.join('\t'))) continue
    const [expectedVersion, ...events] = content
    if (Number(expectedVersion) > history.length)
      throw new TaskledgerError(
        'MALFORMED',
        `the history is damaged: the events from version ${history.length} to ${expectedVersion} cannot be read; restore the file from a backup`,
      )
    if (Number(expectedVersion) === history.length) history.push(...events)
  }
  return history
}

const checksumOf = (content: string): string => crc32(content).toString(16).padStart(8, '0')
