import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { packTar, unpackTar } from 'modern-tar'
import { changeLinks } from './links.ts'
import { linkWithin, pagesOf } from './pages.ts'

/** A package.json with the fields by which a registry and its visitors find the sources. */
export const stampManifest = (manifest: object, repository: string, folder: string): object => ({
  ...manifest,
  repository: { type: 'git', url: `git+${repository}.git`, directory: folder },
  bugs: { url: `${repository}/issues` },
  homepage: `${repository}/tree/HEAD/${folder}#readme`,
})

/** A page with its relative links made absolute; code stays as it is. `page` is the page's path in the repository. */
export const stampLinks = (markdown: string, repository: string, page: string): string =>
  changeLinks(markdown, (link) => new URL(link, `${repository}/blob/HEAD/${page}`).href)

/** Where a package comes from. */
export interface Origin {
  readonly workspace: string
  /** `https://github.com/OWNER/NAME`, or nothing: then the package says nothing of it, and its pages link to what is in the package. */
  readonly repository: string
  /** The package's folder in the workspace. */
  readonly folder: string
}

/** Puts the pages that the package brings with it into a tarball, and the address into its package.json and the links. */
export const stampTarball = async (tarball: string, { workspace, repository, folder }: Origin): Promise<void> => {
  const pages = pagesOf(workspace, folder)
  const linked = (text: string, page: string): string =>
    repository === '' ? linkWithin(text, page, folder, pages) : stampLinks(text, repository, page)
  const rewrite: Readonly<Record<string, (text: string) => string>> = {
    'package/package.json': (text) =>
      repository === '' ? text : `${JSON.stringify(stampManifest(JSON.parse(text) as object, repository, folder), undefined, 2)}\n`,
    'package/README.md': (text) => (repository === '' && pages.length === 0 ? text : linked(text, `${folder}/README.md`)),
  }
  const entries = await unpackTar(gunzipSync(await readFile(tarball)))
  const stamped = entries.map((entry) => {
    const change = rewrite[entry.header.name]
    if (change === undefined || entry.data === undefined) return entry
    const data = new TextEncoder().encode(change(new TextDecoder().decode(entry.data)))
    return { header: { ...entry.header, size: data.length }, data }
  })
  const mtime = entries[0]?.header.mtime
  const added = pages.map((page) => {
    const data = new TextEncoder().encode(linked(readFileSync(join(workspace, page), 'utf8'), page))
    const header = { name: `package/${page}`, size: data.length, mode: 0o644, type: 'file' as const, ...(mtime && { mtime }) }
    return { header, data }
  })
  await writeFile(tarball, gzipSync(await packTar([...stamped, ...added])))
}
