import { statSync } from 'node:fs'
import { join } from 'node:path'
import { readAddress } from '../../tools/publishing/address.ts'

const root = join(import.meta.dirname, '../..')

/** The address of the repository, or nothing as long as the owner has not filled it in. */
export const repository = readAddress(root).repository || undefined

/** Where the repository shows a file or a folder, given by its path from the root. */
export const addressIn = (base: string, path: string): string =>
  `${base}/${statSync(join(root, path)).isDirectory() ? 'tree' : 'blob'}/HEAD/${path}`
