import { globSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { CompilerState, IConfigFile } from '@microsoft/api-extractor'
import { CompilerState as Compiler, Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'

interface Manifest {
  readonly name: string
  readonly publishConfig?: { readonly exports?: Readonly<Record<string, string | { readonly types: string }>> }
}

/** An entry point of a published package. */
interface Entry {
  readonly folder: string
  /** What users import. */
  readonly specifier: string
  readonly declarations: string
  /** The name of its report. */
  readonly report: string
}

/** Every entry point of every published package of the workspace. */
const entriesOf = (root: string): readonly Entry[] =>
  globSync(['packages/*/package.json', 'test-kit/package.json'], { cwd: root })
    .toSorted()
    .flatMap((file) => {
      const folder = join(root, dirname(file))
      const { name, publishConfig } = JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest
      return Object.entries(publishConfig?.exports ?? {}).flatMap(([path, target]) => {
        if (typeof target === 'string') return []
        const specifier = name + path.slice(1)
        const report = `${specifier.replace('@taskledger/', '').replace('/', '.')}.api.md`
        return [{ folder, specifier, declarations: join(folder, target.types), report }]
      })
    })

const configOf = (root: string, entry: Entry, paths: Readonly<Record<string, readonly string[]>>, scratch: string): ExtractorConfig => {
  const configObject: IConfigFile = {
    projectFolder: entry.folder,
    mainEntryPointFilePath: entry.declarations,
    newlineKind: 'lf',
    compiler: {
      overrideTsconfig: {
        compilerOptions: {
          target: 'es2023',
          lib: ['es2023', 'esnext.disposable'],
          module: 'nodenext',
          strict: true,
          types: ['node'],
          typeRoots: [join(root, 'node_modules/@types')],
          // The declarations, and not the sources, which the packages export to one another inside the workspace.
          paths,
        },
        files: [entry.declarations],
      },
    },
    apiReport: {
      enabled: true,
      reportFileName: entry.report,
      reportFolder: scratch,
      reportTempFolder: join(scratch, 'temporary'),
      // The types that signatures of core are made of. Another package has none: typedoc refuses a type that is used and not exported.
      includeForgottenExports: entry.specifier === '@taskledger/core',
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    // typedoc and the compiler check the same comments and declarations.
    messages: {
      compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
    },
  }
  return ExtractorConfig.prepare({ configObject, configObjectFullPath: undefined, packageJsonFullPath: join(entry.folder, 'package.json') })
}

/** The report of each entry point, by the name of its file. Reads `dist`: build first. */
export const apiReports = async (root: string): Promise<ReadonlyMap<string, string>> => {
  const entries = entriesOf(root)
  const paths = Object.fromEntries(entries.map(({ specifier, declarations }) => [specifier, [declarations]]))
  const scratch = await mkdtemp(join(tmpdir(), 'taskledger-api-'))
  try {
    await mkdir(join(scratch, 'temporary'))
    const reports = new Map<string, string>()
    const configs = entries.map((entry) => configOf(root, entry, paths, scratch))
    const additionalEntryPoints = entries.map(({ declarations }) => declarations)
    let compilerState: CompilerState | undefined
    for (const [index, { specifier, report }] of entries.entries()) {
      const config = configs[index] as ExtractorConfig
      // One compilation of all declarations serves every entry point.
      compilerState ??= Compiler.create(config, { additionalEntryPoints })
      const messages: string[] = []
      const { succeeded } = Extractor.invoke(config, {
        compilerState,
        localBuild: true,
        messageCallback(message) {
          if (message.logLevel === ExtractorLogLevel.Error) messages.push(message.text)
          message.handled = true
        },
      })
      if (!succeeded) throw new Error(`cannot report the API of ${specifier}: ${messages.join('; ')}`)
      reports.set(report, await readFile(join(scratch, report), 'utf8'))
    }
    return reports
  } finally {
    await rm(scratch, { recursive: true })
  }
}
