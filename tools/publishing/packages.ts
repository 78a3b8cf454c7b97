import { globSync, readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'

/** A package that is published. */
export interface PublishedPackage {
  readonly name: string
  /** Relative to the root of the workspace, with slashes: `packages/core`. */
  readonly folder: string
}

/** Every package of the workspace in the folder `root` that is published. */
export const publishedPackages = (root: string): readonly PublishedPackage[] =>
  globSync(['packages/*/package.json', 'test-kit/package.json'], { cwd: root }).flatMap((file) => {
    const manifest = JSON.parse(readFileSync(join(root, file), 'utf8')) as { readonly name: string; readonly private?: boolean }
    return manifest.private === true ? [] : [{ name: manifest.name, folder: dirname(file).split(sep).join('/') }]
  })
