import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { packTar, unpackTar } from 'modern-tar'
import { describe, expect, test } from 'vitest'
import { publishedPackages } from '../../publishing/packages.ts'
import { linkWithin } from '../../publishing/pages.ts'
import { stampLinks, stampManifest, stampTarball } from '../../publishing/stamp.ts'

const workspace = join(import.meta.dirname, '../../..')
const repository = 'https://github.com/owner/taskledger'
const files = `${repository}/blob/HEAD/`

test('a package.json says where the sources, the issues and the package’s own page are', () => {
  expect(stampManifest({ name: 'a', version: '1.0.0' }, repository, 'packages/a')).toEqual({
    name: 'a',
    version: '1.0.0',
    repository: { type: 'git', url: 'git+https://github.com/owner/taskledger.git', directory: 'packages/a' },
    bugs: { url: 'https://github.com/owner/taskledger/issues' },
    homepage: 'https://github.com/owner/taskledger/tree/HEAD/packages/a#readme',
  })
})

test.for([
  ['[a](../../docs/a.md)', `[a](${files}docs/a.md)`],
  ['[a](../../docs/a.md#part) and [b](src/b.ts)', `[a](${files}docs/a.md#part) and [b](${files}packages/a/src/b.ts)`],
  ['[a](#part)', '[a](#part)'],
  ['[a](https://owner.example/a.md) [b](mailto:b@owner.example)', '[a](https://owner.example/a.md) [b](mailto:b@owner.example)'],
  ['[`code`](../a.md) and `[a](../b.md)`', `[\`code\`](${files}packages/a.md) and \`[a](../b.md)\``],
  ['```ts\nx[y](../z)\n```\n[a](../b.md)', `\`\`\`ts\nx[y](../z)\n\`\`\`\n[a](${files}packages/b.md)`],
])('%j becomes %j', ([given = '', wanted]) => {
  expect(stampLinks(given, repository, 'packages/a/README.md')).toBe(wanted)
})

test.for([
  ['test-kit/README.md', '[a](../docs/rules.md#a-rule)', '[a](docs/rules.md#a-rule)'],
  ['docs/rules.md', '[a](contract/a.md), [b](../test-kit/README.md)', '[a](contract/a.md), [b](../README.md)'],
  ['docs/contract/a.md', '[`c`](../../packages/c/README.md), [d](#d)', '[`c`], [d](#d)'],
])('without an address, in %s, %j becomes %j', ([page = '', given = '', wanted]) => {
  expect(linkWithin(given, page, 'test-kit', ['docs/rules.md', 'docs/contract/a.md'])).toBe(wanted)
})

test('the kit brings the contracts, the catalogue and the guide', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'taskledger-stamp-'))
  try {
    const tarball = join(scratch, 'kit.tgz')
    const body = '[a](../docs/rules.md)'
    const header = { name: 'package/README.md', size: body.length, mode: 0o644, type: 'file' as const, mtime: new Date(0) }
    await writeFile(tarball, gzipSync(await packTar([{ header, body }])))
    await stampTarball(tarball, { workspace, repository: '', folder: 'test-kit' })
    const entries = await unpackTar(gunzipSync(await readFile(tarball)))
    const texts = new Map(entries.map((entry) => [entry.header.name, new TextDecoder().decode(entry.data)]))
    expect(texts.get('package/README.md')).toBe('[a](docs/rules.md)')
    expect([...texts.keys()]).toEqual(
      expect.arrayContaining([
        'package/docs/contract/event-store.md',
        'package/docs/rules.md',
        'package/docs/guides/writing-an-adapter.md',
      ]),
    )
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
})

describe.for(publishedPackages(workspace))('the README of $name', ({ folder }) => {
  const links = [
    ...stampLinks(readFileSync(join(workspace, folder, 'README.md'), 'utf8'), repository, `${folder}/README.md`).matchAll(
      /\]\(([^()\s]+)\)/g,
    ),
  ].map(([, link = '']) => link)

  test('has only links that work outside of the repository', () => {
    expect(links.filter((link) => !/^(https?:|#)/.test(link))).toEqual([])
  })

  test('links to files that exist', () => {
    const paths = links.filter((link) => link.startsWith(files)).map((link) => new URL(link).href.slice(files.length).replace(/#.*/, ''))
    expect(paths.filter((path) => !existsSync(join(workspace, path)))).toEqual([])
  })
})

test('a tarball keeps all that is in it, but for its package.json and its README', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'taskledger-stamp-'))
  try {
    const tarball = join(scratch, 'a.tgz')
    const entry = (name: string, text: string, mode: number) => ({
      header: { name: `package/${name}`, size: Buffer.byteLength(text), mode, type: 'file' as const, mtime: new Date(0) },
      body: text,
    })
    const given = [
      entry('package.json', '{ "name": "a" }', 0o644),
      entry('README.md', '[a](../b.md)', 0o644),
      entry('dist/run.js', 'run()', 0o755),
    ]
    await writeFile(tarball, gzipSync(await packTar(given)))
    await stampTarball(tarball, { workspace, repository, folder: 'packages/a' })
    const entries = await unpackTar(gunzipSync(await readFile(tarball)))
    const texts = entries.map(({ header, data }) => [header.name, header.mode, new TextDecoder().decode(data)])
    expect(texts).toEqual([
      ['package/package.json', 0o644, `${JSON.stringify(stampManifest({ name: 'a' }, repository, 'packages/a'), undefined, 2)}\n`],
      ['package/README.md', 0o644, `[a](${files}packages/b.md)`],
      ['package/dist/run.js', 0o755, 'run()'],
    ])
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
})
