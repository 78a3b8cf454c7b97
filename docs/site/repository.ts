import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** The address of the repository from the root's package.json, as a browser opens it; nothing where it is not filled in. */
export const repository = ((): string | undefined => {
  const { repository: setting } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly repository?: string | { readonly url?: string }
  }
  const address = typeof setting === 'string' ? setting : setting?.url
  const [, shortened] = /^(?:github:)?([\w.-]+\/[\w.-]+)$/.exec(address ?? '') ?? []
  if (shortened !== undefined) return `https://github.com/${shortened}`
  const [, url] = /^(?:git\+)?(https:\/\/.+?)(?:\.git)?$/.exec(address ?? '') ?? []
  return url
})()

/** Where the repository shows a file or a folder, given by its path from the root. */
export const addressIn = (base: string, path: string): string =>
  `${base}/${statSync(join(root, path)).isDirectory() ? 'tree' : 'blob'}/HEAD/${path}`
