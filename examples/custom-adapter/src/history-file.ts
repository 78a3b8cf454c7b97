import { crc32 } from 'node:zlib'
import { TaskledgerError } from '@taskledger/core/ports'

/**
 * One append as it stands in the file of a task: one line with its checksum, the version that it expected, and its events as
 * the codec writes them. JSON escapes tabs and line breaks, so these can do the separating.
 *
 * It begins with a line break, too: what a crash has cut short ends where the next append begins, and harms nobody.
 */
export const lineOf = (expectedVersion: number, events: readonly string[]): string => {
  const content = [expectedVersion, ...events].join('\t')
  return `\n${checksumOf(content)}\t${content}\n`
}

/**
 * The events of a file, as the codec wrote them. **The order of the lines decides every race**: a line counts if the
 * version that it expected is the one reached so far. One that came second stays there and counts for nothing, and so does
 * one whose checksum is wrong: its writer did not live to tell anybody of it.
 *
 * @throws `MALFORMED` where a line builds on one that cannot be read: nobody writes such a line, so the file was damaged.
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
        `the history is damaged: what led from version ${history.length} to ${expectedVersion} cannot be read`,
      )
    if (Number(expectedVersion) === history.length) history.push(...events)
  }
  return history
}

const checksumOf = (content: string): string => crc32(content).toString(16).padStart(8, '0')
