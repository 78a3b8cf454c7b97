/**
 * Rehearses a release: makes versions and changelogs in a copy of the work tree, publishes them to a registry on 127.0.0.1, and uses them
 * from there as the READMEs say. Everything is in a temporary folder, which is removed at the end.
 */
import { readFileSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { missingForRelease } from '../publishing/address.ts'
import { publishedPackages } from '../publishing/packages.ts'
import { readmeOf } from '../publishing/readme.ts'
import { run } from '../run.ts'
import { commitAll, copyWorkspace, fillInAddress, gitEnv } from './copy.ts'
import { startRegistry } from './registry.ts'
import type { Registry } from './registry.ts'
import { expectedRelease, unexpectedInRelease } from './versions.ts'

const workspace = join(import.meta.dirname, '../..')
const { toolchain } = JSON.parse(readFileSync(join(workspace, 'package.json'), 'utf8')) as {
  readonly toolchain: { readonly verdaccio: string }
}
/** The programs of these READMEs need servers, so these packages are installed and loaded only. */
const needServers = ['@taskledger/cassandra', '@taskledger/rabbitmq', '@taskledger/test-kit']

const interruption = new AbortController()
const { signal } = interruption
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => {
    if (signal.aborted) process.exit(1)
    interruption.abort(new Error(`interrupted by ${name}`))
  })

const startedAt = performance.now()
const say = (text: string): void => console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${text}`)
const assert = (isTrue: boolean, otherwise: string): void => {
  if (!isTrue) throw new Error(otherwise)
}

/** Turns the changesets of the copy into versions, checks them, commits them, and resolves with the version. */
const makeVersions = async (copy: string): Promise<string> => {
  const expected = expectedRelease(copy)
  await run('changeset', ['version'], copy, { env: { ...process.env, ...gitEnv }, signal })
  const wrong = unexpectedInRelease(copy, expected)
  assert(wrong.length === 0, ['`changeset version` did not do what its changesets say:', ...wrong].join('\n- '))
  const mayChange = publishedPackages(copy).flatMap(({ folder }) => [`${folder}/package.json`, `${folder}/CHANGELOG.md`])
  const changed = (await run('git', ['status', '--porcelain'], copy, { signal })).split('\n').map((line) => line.slice(3))
  const others = changed.filter((file) => file !== '' && !file.startsWith('.changeset/') && !mayChange.includes(file))
  assert(others.length === 0, `\`changeset version\` changed other files too: ${others.join(', ')}`)
  await commitAll(copy, 'versions', signal)
  return expected.version
}

const addChangeset = (copy: string, bump: string): Promise<void> =>
  writeFile(join(copy, '.changeset/rehearsal.md'), `---\n'@taskledger/core': ${bump}\n---\n\nA ${bump} change for the rehearsal.\n`)

/** Packs and publishes the copy as the workflow does, to the rehearsal's registry and no other. */
const publish = async (copy: string, { url, env }: Registry): Promise<void> => {
  const options = { env: { ...env, ...gitEnv }, signal }
  for (const setting of ['registry', '@taskledger:registry']) {
    const value = (await run('pnpm', ['config', 'get', setting], join(copy, 'packages/core'), options)).trim()
    assert([url, 'undefined', ''].includes(value), `pnpm would publish to ${value}`)
  }
  for (const { name, folder } of publishedPackages(copy))
    assert(!/"registry"/.test(readFileSync(join(copy, folder, 'package.json'), 'utf8')), `${name} names a registry in its package.json`)

  const pack = ['tools/publishing/pack.ts', '--release', 'release']
  const [missing] = missingForRelease(copy)
  if (missing !== undefined) {
    const refusal = await run(process.execPath, pack, copy, options).catch(String)
    assert(refusal.includes(missing), `a release without an address was not refused:\n${refusal}`)
    say('a release without an address is refused')
    await fillInAddress(copy)
    await commitAll(copy, 'address', signal)
  }
  await run(process.execPath, pack, copy, options)
  await run('changeset', ['publish', '--from-pack-dir', 'release'], copy, options)
}

/** Checks what the registry has of a package. */
const checkPublished = async (name: string, version: string, registry: Registry): Promise<void> => {
  const shown = await run('npm', ['view', `${name}@${version}`, '--json'], tmpdir(), { env: registry.env, signal })
  const { repository, homepage, bugs, dist } = JSON.parse(shown) as Readonly<Record<string, Readonly<Record<string, string>>>>
  assert(dist?.['tarball']?.startsWith(registry.url) === true, `${name} is at ${dist?.['tarball']}`)
  assert(
    [repository, homepage, bugs].every((each) => each !== undefined),
    `${name} was published without its address`,
  )
}

/** Does in an empty project what a README says, and resolves with what the program printed. */
const follow = async (readmeFolder: string, project: string, registry: Registry, load?: string): Promise<string> => {
  await mkdir(project)
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }))
  const { dependencies, program } = readmeOf(readmeFolder)
  assert(dependencies.length > 0 && program !== '', `${readmeFolder}/README.md has no line npm install, or no program`)
  const options = { env: registry.env, signal }
  await run('npm', ['install', '--no-audit', '--no-fund', ...dependencies], project, options)
  await writeFile(join(project, 'program.ts'), load === undefined ? program : `await import('${load}')`)
  return run(process.execPath, ['program.ts'], project, options)
}

const scratch = await realpath(await mkdtemp(join(tmpdir(), 'taskledger-rehearsal-')))
process.once('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 }))
try {
  const copy = join(scratch, 'copy')
  await copyWorkspace(workspace, copy, signal)
  say('copied the work tree')

  await addChangeset(copy, 'patch')
  const version = await makeVersions(copy)
  say(`changesets make version ${version} of all packages, and their changelogs`)

  await using registry = await startRegistry(join(scratch, 'registry'), toolchain.verdaccio, signal)
  say(`started verdaccio ${toolchain.verdaccio} on ${registry.url}`)

  await publish(copy, registry)
  const packages = publishedPackages(copy)
  for (const { name } of packages) await checkPublished(name, version, registry)
  say(`published ${packages.map(({ name }) => name).join(', ')}`)

  const { printed, seen } = readmeOf(workspace)
  const output = await follow(copy, join(scratch, 'project'), registry)
  assert(seen(output) === seen(printed), `the program of README.md printed:\n${output}`)
  say('README.md: installed, and its program printed what it should')
  for (const [index, { name, folder }] of packages.entries()) {
    const isLoadedOnly = needServers.includes(name)
    await follow(join(copy, folder), join(scratch, `project-${index}`), registry, isLoadedOnly ? name : undefined)
    say(`${folder}/README.md: installed${isLoadedOnly ? ' and loaded' : ', and its program ran'}`)
  }

  await addChangeset(copy, 'minor')
  say(`a minor change of core alone makes version ${await makeVersions(copy)} of all packages`)
  say('the rehearsal went well')
} catch (error) {
  console.error(signal.aborted ? String(signal.reason) : error instanceof Error ? error.message : error)
  process.exitCode = 1
}
