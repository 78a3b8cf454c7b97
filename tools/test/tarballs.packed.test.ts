import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fencesOf } from '../fences.ts'

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
  readonly bin?: Readonly<Record<string, string>>
}

const root = join(import.meta.dirname, '../..')
const readManifest = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest

/** Every package that is published. */
const packages = globSync(['packages/*/package.json', 'test-kit/package.json'], { cwd: root })
  .map((file) => ({ folder: join(root, dirname(file)), name: readManifest(join(root, dirname(file))).name }))
  .filter(({ folder }) => readManifest(folder).private !== true)

/** What a project outside of the workspace uses beside the packages. */
const compilers = { 'TypeScript 5.9': 'typescript-5', 'TypeScript 6.0': 'typescript-6', 'TypeScript 7.0': 'typescript-7' }
const others = [
  'typescript-5@npm:typescript@~5.9',
  'typescript-6@npm:typescript@~6.0',
  'typescript-7@npm:typescript@~7.0',
  '@types/node@24',
  'vitest',
  'zod',
]

let scratch: string
const tarballOf = (name: string): string => join(scratch, `${name.replace('@taskledger/', '')}.tgz`)
const installedAt = (project: string, name: string): string => join(scratch, project, 'node_modules', name)

/** Runs a command; where it fails, what it printed is the error. */
const run = async (command: string, args: readonly string[], cwd: string): Promise<string> => {
  // npm tells its children where it was called; here it is to look at the folder that it is called in.
  const { npm_config_local_prefix: _called, ...env } = process.env
  env['PATH'] = [join(root, 'node_modules/.bin'), env['PATH']].join(delimiter)
  try {
    return (await promisify(execFile)(command, args, { cwd, env, maxBuffer: 2 ** 26 })).stdout
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string }
    throw new Error([message, stdout, stderr].join('\n'), { cause: error })
  }
}

/** Makes an empty project and installs into it, as a user would, but from the tarballs. */
const makeProject = async (name: string, dependencies: readonly string[]): Promise<string> => {
  const folder = join(scratch, name)
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }))
  const specifiers = dependencies.map((each) => (packages.some((known) => known.name === each) ? tarballOf(each) : each))
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...specifiers], folder)
  return folder
}

const readme = readFileSync(join(root, 'README.md'), 'utf8')
const fences = fencesOf(readme)
const programAt = fences.findIndex(({ info }) => info === 'ts')
const program = fences[programAt]?.code ?? ''
/** What a program prints, without white space that nobody sees, and without states that pass: which of them a watch meets is up to the machine. */
const seen = (text: string): string =>
  text
    .replaceAll(/[ ]+$/gm, '')
    .replaceAll(/^short is (?:waiting|inProgress).*\n/gm, '')
    .trim()
const printed = fences[programAt + 1]?.info === 'text' ? fences[programAt + 1]?.code : undefined
const dependencies = /^npm install (.+)$/m.exec(readme)?.[1]?.split(/\s+/) ?? []

beforeAll(async () => {
  scratch = await realpath(await mkdtemp(join(tmpdir(), 'taskledger-packed-')))
  // Its `prepack` builds it.
  await Promise.all(packages.map(({ folder, name }) => run('pnpm', ['pack', '--out', tarballOf(name)], folder)))
  await Promise.all([makeProject('consumer', [...packages.map(({ name }) => name), ...others]), makeProject('readme', dependencies)])
})

afterAll(() => rm(scratch, { recursive: true, force: true }))

describe.for(packages)('$name', ({ name }) => {
  test('publint finds nothing', async () => {
    const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(await readFile(tarballOf(name))).buffer }, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  test('its types are found by whoever imports it', async () => {
    await run('attw', [tarballOf(name), '--profile', 'esm-only', '--no-definitely-typed', '--no-color', '--no-emoji'], scratch)
  })

  test('speaks of no workspace, and brings its licence, its sources and its source maps', async () => {
    const folder = installedAt('consumer', name)
    expect(readFileSync(join(folder, 'package.json'), 'utf8')).not.toMatch(/"(workspace|catalog|link|file):/)
    const files = globSync('**', { cwd: folder })
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.js', 'dist/index.js.map', 'dist/index.d.ts', 'src/index.ts']),
    )
    expect(files.filter((file) => /\.test\.ts$|tsconfig|node_modules/.test(file))).toEqual([])
  })

  test('every entry can be imported', async () => {
    const entries = Object.keys(readManifest(installedAt('consumer', name)).exports).filter((entry) => entry !== './package.json')
    // The entry for vitest can be loaded by vitest alone.
    const specifiers = entries.map((entry) => name + entry.slice(1)).filter((specifier) => !specifier.endsWith('/vitest'))
    await run(
      process.execPath,
      ['--input-type=module', '-e', specifiers.map((each) => `await import('${each}')`).join('\n')],
      join(scratch, 'consumer'),
    )
  })

  test('every command answers', async () => {
    for (const command of Object.keys(readManifest(installedAt('consumer', name)).bin ?? {}))
      expect(await run('npm', ['exec', '--offline', '--', command, '--help'], join(scratch, 'consumer'))).toContain(command)
  })
})

test('an error is one class, whichever entry it comes from', async () => {
  const code = `
    import { TaskledgerError } from '@taskledger/core'
    import { VersionConflict, TaskledgerError as same } from '@taskledger/core/ports'
    import { decodeEvent } from '@taskledger/core/codec'
    if (same !== TaskledgerError || !(VersionConflict.prototype instanceof TaskledgerError)) throw new Error('two classes')
    try { decodeEvent('{}') } catch (error) { if (!(error instanceof TaskledgerError)) throw error }
  `
  await run(process.execPath, ['--input-type=module', '-e', code], join(scratch, 'consumer'))
})

test.for(Object.entries(compilers))(
  '%s, without skipLibCheck, compiles a program that uses every entry, with exactOptionalPropertyTypes and without',
  async ([, compiler]) => {
    const specifiers = packages.flatMap(({ name }) =>
      Object.keys(readManifest(installedAt('consumer', name)).exports).map((entry) => name + entry.slice(1)),
    )
    const imports = specifiers.filter((each) => !each.endsWith('.json')).map((each, index) => `export * as entry${index} from '${each}'`)
    const oneClass = [
      "import type { TaskledgerError } from '@taskledger/core'",
      "import type { TaskledgerError as Same } from '@taskledger/core/ports'",
      'export const there = (error: TaskledgerError): Same => error',
      'export const back = (error: Same): TaskledgerError => error',
    ]
    const makeProgram = async (exactOptionalPropertyTypes: boolean): Promise<string> => {
      const folder = join(scratch, 'consumer', `${compiler}-${exactOptionalPropertyTypes}`)
      await mkdir(folder)
      const compilerOptions = {
        target: 'es2023',
        lib: ['es2023', 'esnext.disposable'],
        module: 'nodenext',
        types: ['node'],
        strict: true,
        skipLibCheck: false,
        exactOptionalPropertyTypes,
        outDir: 'out',
      }
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
      await writeFile(join(folder, 'readme.ts'), program)
      await writeFile(join(folder, 'entries.ts'), [...imports, ...oneClass, ''].join('\n'))
      return folder
    }
    const folders = await Promise.all([true, false].map(makeProgram))
    // One run for both reads the declarations once.
    await run(process.execPath, [join(installedAt('consumer', compiler), 'bin/tsc'), '--build', ...folders], scratch)
  },
)

describe('the code of the README', () => {
  test('says what to install', () => {
    expect(dependencies).toContain('@taskledger/core')
  })

  test('runs as it stands there, and prints what is said to be printed', async () => {
    await writeFile(join(scratch, 'readme/quickstart.ts'), program)
    const output = await run(process.execPath, ['quickstart.ts'], join(scratch, 'readme'))
    if (printed !== undefined) expect(seen(output)).toBe(seen(printed))
  })

  // Set by toolchain.mjs where the machine's own Node is another than the one that runs the tests.
  const ownNode = process.env['TASKLEDGER_OWN_NODE'] ?? process.execPath
  test.skipIf(ownNode === process.execPath)('runs on the older Node of this machine, compiled for it', async () => {
    const compiler = join(installedAt('consumer', 'typescript-6'), 'bin/tsc')
    const options = [
      '--ignoreConfig',
      '--target',
      'es2022',
      '--lib',
      'es2023,esnext.disposable',
      '--module',
      'nodenext',
      '--outDir',
      'older',
      '--types',
      'node',
    ]
    await writeFile(join(scratch, 'consumer/older.ts'), program)
    await run(process.execPath, [compiler, ...options, 'older.ts'], join(scratch, 'consumer'))
    const output = await run(ownNode, ['older/older.js'], join(scratch, 'consumer'))
    if (printed !== undefined) expect(seen(output)).toBe(seen(printed))
  })
})
