import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open, readdir } from 'node:fs/promises'
import { sep } from 'node:path'

/** A path that names something other than a file: a pipe, a device, a socket. */
export class NotAFile extends Error {
  readonly code = 'NOT_A_FILE'

  constructor() {
    super('it is not a file')
    this.name = 'NotAFile'
  }
}

/** A file in a folder. A name may be bytes that are no UTF-8: then the path that opens it is bytes as well. */
export interface FileName {
  /** For people, and as a key: the name, with a byte for each character where it is not UTF-8. */
  readonly name: string
  readonly path: string | Buffer
}

export const fileNamed = (folder: string, name: Buffer): FileName => {
  const text = name.toString()
  return Buffer.from(text).equals(name)
    ? { name: text, path: folder + sep + text }
    : { name: name.toString('latin1'), path: Buffer.concat([Buffer.from(folder + sep), name]) }
}

/** What a folder holds, except folders. Links and pipes are refused when they are opened. */
export const namesIn = async (folder: string): Promise<readonly FileName[]> => {
  const entries = await readdir(folder, { encoding: 'buffer', withFileTypes: true })
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => fileNamed(folder, name))
}

/** Opening must neither wait, as for the writer of a pipe, nor follow a link. */
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)

/**
 * Opens a file for reading.
 *
 * @throws {@link NotAFile}; `ELOOP` for a link; the errors of the file system.
 */
export const openFile = async (path: string | Buffer): Promise<FileHandle> => {
  const file = await open(path, flags)
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw new NotAFile()
}
