import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { publishedPackages } from '../publishing/packages.ts'

/** What `changeset version` has to make of a workspace. */
export interface ExpectedRelease {
  readonly version: string
  /** By the name of a package: what its changelog has to say. */
  readonly texts: ReadonlyMap<string, readonly string[]>
}

const read = (...path: readonly string[]): string => readFileSync(join(...path), 'utf8')
const versionOf = (root: string, folder: string): string =>
  (JSON.parse(read(root, folder, 'package.json')) as { readonly version: string }).version

/** The changesets of a workspace that are not released yet. */
const pendingChangesets = (root: string): readonly string[] =>
  readdirSync(join(root, '.changeset')).filter((file) => file.endsWith('.md') && file !== 'README.md')

/** Works out from the changesets what a release has to be: all packages get the version of the largest bump. */
export const expectedRelease = (root: string): ExpectedRelease => {
  const texts = new Map<string, string[]>()
  const bumps = new Set<string>()
  for (const file of pendingChangesets(root)) {
    const [, head = '', text = ''] = /^---\n([^]*?)\n---\n([^]*)$/.exec(read(root, '.changeset', file)) ?? []
    for (const [, name = '', bump = ''] of head.matchAll(/^['"]?(@?[\w/-]+)['"]?: *(\w+)$/gm)) {
      bumps.add(bump)
      texts.set(name, [...(texts.get(name) ?? []), text.trim()])
    }
  }
  const [anyPackage] = publishedPackages(root) // they have one version
  const [major = 0, minor = 0, patch = 0] = versionOf(root, anyPackage?.folder ?? '')
    .split('.')
    .map(Number)
  let version = `${major}.${minor}.${patch + 1}`
  if (bumps.has('minor')) version = `${major}.${minor + 1}.0`
  if (bumps.has('major')) version = `${major + 1}.0.0`
  return { version, texts }
}

/** Lists, one sentence each, what `changeset version` did otherwise than expected. */
export const unexpectedInRelease = (root: string, { version, texts }: ExpectedRelease): readonly string[] => {
  const wrong = pendingChangesets(root).map((file) => `.changeset/${file} is left`)
  for (const { name, folder } of publishedPackages(root)) {
    const actual = versionOf(root, folder)
    if (actual !== version) wrong.push(`${name} has version ${actual} instead of ${version}`)
    const changelog = read(root, folder, 'CHANGELOG.md')
    const newest = changelog.split(/^(?=## )/m)[1] ?? ''
    if (!newest.startsWith(`## ${version}\n`)) wrong.push(`the changelog of ${name} does not begin with ${version}`)
    const lines = newest.replaceAll(/\s+/g, ' ')
    for (const text of texts.get(name) ?? [])
      if (!lines.includes(text.replaceAll(/\s+/g, ' '))) wrong.push(`the changelog of ${name} does not say: ${text}`)
  }
  return wrong
}
