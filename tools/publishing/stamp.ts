import { readFile, writeFile } from 'node:fs/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { packTar, unpackTar } from 'modern-tar'

/** A package.json with the fields by which a registry and its visitors find the sources. */
export const stampManifest = (manifest: object, repository: string, folder: string): object => ({
  ...manifest,
  repository: { type: 'git', url: `git+${repository}.git`, directory: folder },
  bugs: { url: `${repository}/issues` },
  homepage: `${repository}/tree/HEAD/${folder}#readme`,
})

/** A page with its relative links made absolute; code stays as it is. `page` is the page's path in the repository. */
export const stampLinks = (markdown: string, repository: string, page: string): string =>
  markdown
    .split(/(^ *```[^]*?^ *```$|`[^`\n]*`)/m)
    .map((part, index) =>
      index % 2 === 1
        ? part
        : part.replaceAll(
            /\]\((?!#|[a-z][a-z+.-]*:)([^()\s]+)\)/gi,
            (_, link: string) => `](${new URL(link, `${repository}/blob/HEAD/${page}`).href})`,
          ),
    )
    .join('')

/** Writes the address into the package.json and the README of a tarball. `folder` is the package's folder in the repository. */
export const stampTarball = async (tarball: string, repository: string, folder: string): Promise<void> => {
  const entries = await unpackTar(gunzipSync(await readFile(tarball)))
  const rewrite: Readonly<Record<string, (text: string) => string>> = {
    'package/package.json': (text) => `${JSON.stringify(stampManifest(JSON.parse(text) as object, repository, folder), undefined, 2)}\n`,
    'package/README.md': (text) => stampLinks(text, repository, `${folder}/README.md`),
  }
  const stamped = entries.map((entry) => {
    const change = rewrite[entry.header.name]
    if (change === undefined || entry.data === undefined) return entry
    const data = new TextEncoder().encode(change(new TextDecoder().decode(entry.data)))
    return { header: { ...entry.header, size: data.length }, data }
  })
  await writeFile(tarball, gzipSync(await packTar(stamped)))
}
