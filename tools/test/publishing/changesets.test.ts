import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { publishedPackages } from '../../publishing/packages.ts'
import { expectedRelease, unexpectedInRelease } from '../../rehearsal/versions.ts'

const workspace = join(import.meta.dirname, '../../..')

test('the group of packages with one version has each published package and no private one', () => {
  const { fixed } = JSON.parse(readFileSync(join(workspace, '.changeset/config.json'), 'utf8')) as { readonly fixed: readonly string[][] }
  const names = /^@taskledger\/\{(.+)\}$/.exec(fixed.flat().join())?.[1]?.split(',') ?? []
  expect(names.map((name) => `@taskledger/${name}`).toSorted()).toEqual(
    publishedPackages(workspace)
      .map(({ name }) => name)
      .toSorted(),
  )
})

let root: string
const write = (path: string, content: string): Promise<void> => writeFile(join(root, path), content)

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'taskledger-changesets-'))
  await mkdir(join(root, '.changeset'))
  for (const name of ['core', 'memory']) {
    await mkdir(join(root, 'packages', name), { recursive: true })
    await write(`packages/${name}/package.json`, JSON.stringify({ name: `@taskledger/${name}`, version: '1.2.3' }))
  }
  await write('.changeset/one.md', "---\n'@taskledger/core': patch\n---\n\nA fix.\n")
})

afterEach(() => rm(root, { recursive: true, force: true }))

test.for([
  ['patch', '1.2.4'],
  ['minor', '1.3.0'],
  ['major', '2.0.0'],
] as const)('the largest bump, %s, makes version %s', async ([bump, version]) => {
  await write('.changeset/two.md', `---\n'@taskledger/core': ${bump}\n'@taskledger/memory': patch\n---\n\nAnother change.\n`)
  const expected = expectedRelease(root)
  expect(expected.version).toBe(version)
  expect(expected.texts.get('@taskledger/core')).toEqual(['A fix.', 'Another change.'])
  expect(expected.texts.get('@taskledger/memory')).toEqual(['Another change.'])
})

test('what a release did otherwise than expected is listed', async () => {
  const expected = expectedRelease(root)
  await write('packages/core/CHANGELOG.md', '# core\n\n## 1.2.4\n\n- Something else.\n')
  await write('packages/memory/CHANGELOG.md', '# memory\n\n## 1.2.3\n')
  expect(unexpectedInRelease(root, expected).toSorted()).toEqual([
    '.changeset/one.md is left',
    '@taskledger/core has version 1.2.3 instead of 1.2.4',
    '@taskledger/memory has version 1.2.3 instead of 1.2.4',
    'the changelog of @taskledger/core does not say: A fix.',
    'the changelog of @taskledger/memory does not begin with 1.2.4',
  ])
})
