import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiReports } from '../api-report/reports.ts'
import { readAddress } from '../publishing/address.ts'
import { nodeFromNpm } from '../node-from-npm.ts'
import { pagesOf } from '../publishing/pages.ts'
import { publishedPackages } from '../publishing/packages.ts'
import { readmeOf } from '../publishing/readme.ts'
import { run } from '../run.ts'
import { stampTarball } from '../publishing/stamp.ts'
import { packAll, tarballName } from '../publishing/tarballs.ts'

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
  readonly bin?: Readonly<Record<string, string>>
  readonly engines: { readonly node: string }
  readonly repository?: unknown
}

const root = join(import.meta.dirname, '../..')
const readManifest = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
const packages = publishedPackages(root)

/** What a project outside of the workspace uses beside the packages. */
const compilers = { 'TypeScript 5.9': 'typescript-5', 'TypeScript 6.0': 'typescript-6', 'TypeScript 7.0': 'typescript-7' }
const others = [
  'typescript-5@npm:typescript@~5.9',
  'typescript-6@npm:typescript@~6.0',
  'typescript-7@npm:typescript@~7.0',
  '@types/node@24',
  'esbuild',
  'vitest',
  'zod',
]

let scratch: string
const tarballOf = (name: string): string => join(scratch, 'packed', tarballName(name))
/** The same, as a release has it, with the address of the project in it. */
const releasedOf = (name: string): string => join(scratch, 'released', tarballName(name))
const installedAt = (project: string, name: string): string => join(scratch, project, 'node_modules', name)

/** Makes an empty project and installs into it, as a user would, but from the tarballs. */
const makeProject = async (name: string, dependencies: readonly string[]): Promise<string> => {
  const folder = join(scratch, name)
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }))
  const specifiers = dependencies.map((each) => (packages.some((known) => known.name === each) ? tarballOf(each) : each))
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...specifiers], folder)
  return folder
}

const { dependencies, program, printed, seen } = readmeOf(root)

/** By what a test title calls it: a Node that has to run the packages. */
const nodes: Record<string, string> = { [`Node ${process.versions.node}`]: process.execPath }
const minimum = /^>=(\d+\.\d+)$/.exec(readManifest(join(root, 'packages/core')).engines.node)?.[1] ?? ''
const oldest = `Node ${minimum}.0, the oldest that is supported`

// toolchain.mjs names the Node of this machine, which may be another than the one that runs the tests.
const own = process.env['TASKLEDGER_OWN_NODE'] ?? process.execPath
const ownVersion = execFileSync(own, ['--version'], { encoding: 'utf8' }).trim().slice(1)
const isSupported = ownVersion.localeCompare(minimum, 'en', { numeric: true }) >= 0
if (isSupported && !(`Node ${ownVersion}` in nodes)) nodes[`Node ${ownVersion}, that of this machine`] = own
const nodeTitles = [...Object.keys(nodes), oldest]

const evaluate = (node: string, code: string): Promise<string> =>
  run(nodes[node] ?? '', ['--input-type=module', '--eval', code], join(scratch, 'consumer'))

beforeAll(async () => {
  scratch = await realpath(await mkdtemp(join(tmpdir(), 'taskledger-packed-')))
  await packAll(root, join(scratch, 'packed'))
  await mkdir(join(scratch, 'released'))
  for (const { name, folder } of packages) {
    await copyFile(tarballOf(name), releasedOf(name))
    await stampTarball(releasedOf(name), { workspace: root, repository: 'https://github.com/owner/taskledger', folder })
  }
  await Promise.all([makeProject('consumer', [...packages.map(({ name }) => name), ...others]), makeProject('readme', dependencies)])
  nodes[oldest] = await nodeFromNpm(`${minimum}.0`)
})

afterAll(() => rm(scratch, { recursive: true, force: true }))

describe.for(packages)('$name', ({ name, folder: source }) => {
  test('publint finds nothing', async () => {
    const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(await readFile(releasedOf(name))).buffer }, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  test('programs that import it find its types', async () => {
    await run('attw', [releasedOf(name), '--profile', 'esm-only', '--no-definitely-typed', '--no-color', '--no-emoji'], scratch)
  })

  test.runIf(readAddress(root).repository === '')('without an address it is packed without links to the repository', () => {
    const folder = installedAt('consumer', name)
    expect(readManifest(folder).repository).toBeUndefined()
    if (pagesOf(root, source).length === 0)
      expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe(readFileSync(join(root, source, 'README.md'), 'utf8'))
  })

  test.runIf(readAddress(root).repository === '' && pagesOf(root, source).length > 0)('brings its pages, which link to each other', () => {
    const folder = installedAt('consumer', name)
    for (const page of ['README.md', ...pagesOf(root, source)]) {
      const links = [...readFileSync(join(folder, page), 'utf8').matchAll(/\]\((?!#|https?:)([^()\s#]+)/g)].map(([, link = '']) => link)
      expect(links.filter((link) => !existsSync(join(folder, page, '..', link)))).toEqual([])
    }
  })

  test('does not mention the workspace, and contains its licence, its sources and its source maps', async () => {
    const folder = installedAt('consumer', name)
    expect(readFileSync(join(folder, 'package.json'), 'utf8')).not.toMatch(/"(workspace|catalog|link|file):/)
    const files = globSync('**', { cwd: folder })
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.js', 'dist/index.js.map', 'dist/index.d.ts', 'src/index.ts']),
    )
    expect(files.filter((file) => /\.test\.ts$|tsconfig|node_modules/.test(file))).toEqual([])
  })

  test.for(nodeTitles)('every entry can be imported on %s', async (node) => {
    const entries = Object.keys(readManifest(installedAt('consumer', name)).exports).filter((entry) => entry !== './package.json')
    // The entry for vitest can be loaded by vitest alone.
    const specifiers = entries.map((entry) => name + entry.slice(1)).filter((specifier) => !specifier.endsWith('/vitest'))
    await evaluate(node, specifiers.map((each) => `await import('${each}')`).join('\n'))
  })

  test.for(nodeTitles)('every command answers on %s', async (node) => {
    const folder = installedAt('consumer', name)
    for (const [command, file] of Object.entries(readManifest(folder).bin ?? {}))
      expect(await run(nodes[node] ?? '', [join(folder, file), '--help'], join(scratch, 'consumer'))).toContain(command)
  })

  test('every command is installed', async () => {
    for (const command of Object.keys(readManifest(installedAt('consumer', name)).bin ?? {}))
      expect(await run('npm', ['exec', '--offline', '--', command, '--help'], join(scratch, 'consumer'))).toContain(command)
  })
})

test.for(nodeTitles)('an error is one class, whichever entry it comes from, on %s', async (node) => {
  await evaluate(
    node,
    `
    import { TaskledgerError } from '@taskledger/core'
    import { VersionConflict, TaskledgerError as same } from '@taskledger/core/ports'
    import { decodeEvent } from '@taskledger/core/codec'
    if (same !== TaskledgerError || !(VersionConflict.prototype instanceof TaskledgerError)) throw new Error('two classes')
    try { decodeEvent('{}') } catch (error) { if (!(error instanceof TaskledgerError)) throw error }
  `,
  )
})

/** A program in both languages of modules: it makes a manager, and needs the adapters. */
const programOf = (load: (name: string, what: string) => string): string =>
  [
    load('@taskledger/core', 'createTaskManager, defineTask, unchecked'),
    load('@taskledger/cassandra', 'cassandraStorage'),
    load('@taskledger/rabbitmq', 'rabbitmqMessaging'),
    'const add = defineTask({ type: "add", payload: unchecked(), run: ({ payload }) => payload + 1 })',
    'const run = async () => {',
    '  const manager = await createTaskManager({ tasks: [add], logger: { debug() {}, info() {}, warn: console.warn, error: console.error } })',
    '  console.log(await (await manager.submit(add, 1)).result(), typeof cassandraStorage, typeof rabbitmqMessaging)',
    '  await manager.close()',
    '}',
    'run()',
  ].join('\n')
const required = programOf((name, what) => `const { ${what} } = require('${name}')`)
const imported = programOf((name, what) => `import { ${what} } from '${name}'`)

test.for(nodeTitles)('a CommonJS program can require them on %s', async (node) => {
  expect(await run(nodes[node] ?? '', ['--input-type=commonjs', '--eval', required], join(scratch, 'consumer'))).toBe(
    '2 function function\n',
  )
})

test.for([
  ['cjs', []],
  ['esm', ['--external:cassandra-driver', '--external:amqplib']],
] as const)('esbuild bundles them as %s', async ([format, externals]) => {
  const consumer = join(scratch, 'consumer')
  const name = `bundled-${format}`
  await writeFile(join(consumer, `${name}.mjs`), imported)
  const bundle = `${name}-out.${format === 'cjs' ? 'cjs' : 'mjs'}`
  const options = ['--bundle', '--platform=node', `--format=${format}`, ...externals, `--outfile=${bundle}`, '--log-level=error']
  await run(join(consumer, 'node_modules/.bin/esbuild'), [`${name}.mjs`, ...options], consumer)
  expect(await run(process.execPath, [bundle], consumer)).toBe('2 function function\n')
})

/** The checks that a user's compiler may make, or not make. */
const strictness = { exact: { strict: true, exactOptionalPropertyTypes: true }, strict: { strict: true }, loose: { strict: false } }

test.for(Object.entries(compilers))(
  '%s, without skipLibCheck and with little of lib, compiles programs that use every entry, with more checks and with fewer',
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
    const makeProgram = async ([name, checks]: readonly [string, object]): Promise<string> => {
      const folder = join(scratch, 'consumer', `${compiler}-${name}`)
      await mkdir(folder)
      const compilerOptions = {
        target: 'es2022',
        lib: ['es2020'],
        module: 'nodenext',
        types: ['node'],
        skipLibCheck: false,
        outDir: 'out',
        ...checks,
      }
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts', '*.cts'] }))
      await writeFile(join(folder, 'readme.ts'), program)
      await copyFile(join(root, 'packages/core/test/user-program.ts'), join(folder, 'user-program.ts'))
      await writeFile(join(folder, 'common.cts'), "import { defineTask } from '@taskledger/core'\nexport const define = defineTask\n")
      await writeFile(join(folder, 'entries.ts'), [...imports, ...oneClass, ''].join('\n'))
      return folder
    }
    const folders = await Promise.all(Object.entries(strictness).map(makeProgram))
    // One run for all reads the declarations once.
    await run(process.execPath, [join(installedAt('consumer', compiler), 'bin/tsc'), '--build', ...folders], scratch)
  },
)

test('no declaration has an internal member', () => {
  for (const { name } of packages)
    for (const file of globSync('dist/**/*.d.ts', { cwd: installedAt('consumer', name) }))
      expect(readFileSync(join(installedAt('consumer', name), file), 'utf8')).not.toMatch(/@internal|~options/)
})

test('the reports in api/ say what the packages export', async () => {
  const stale = 'api/ is out of date: the public surface has changed. Run `pnpm api:report`, and review what it changes'
  const reports = await apiReports(root)
  expect(globSync('*.md', { cwd: join(root, 'api') }).toSorted(), stale).toEqual([...reports.keys()].toSorted())
  for (const [file, report] of reports) expect(readFileSync(join(root, 'api', file), 'utf8'), stale).toBe(report)
})

describe('the code of the README', () => {
  test('says what to install', () => {
    expect(dependencies).toContain('@taskledger/core')
  })

  test('runs as it is, and prints what the README says', async () => {
    await writeFile(join(scratch, 'readme/quickstart.ts'), program)
    expect(seen(await run(process.execPath, ['quickstart.ts'], join(scratch, 'readme')))).toBe(seen(printed))
  })

  describe('compiled for Node 22', () => {
    let folder: string

    beforeAll(async () => {
      const compiler = join(installedAt('consumer', 'typescript-6'), 'bin/tsc')
      const options = ['--target', 'es2022', '--lib', 'es2023,esnext.disposable', '--module', 'nodenext', '--types', 'node']
      folder = await mkdtemp(join(scratch, 'consumer/compiled-'))
      await writeFile(join(folder, 'quickstart.ts'), program)
      await run(process.execPath, [compiler, '--ignoreConfig', ...options, 'quickstart.ts'], folder)
    })

    test.for(nodeTitles)('runs on %s', async (node) => {
      expect(seen(await run(nodes[node] ?? '', ['quickstart.js'], folder))).toBe(seen(printed))
    })
  })
})
