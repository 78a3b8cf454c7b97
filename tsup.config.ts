import { readFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

/** What a package.json says twice: the source that the workspace runs, and the file that the tarball has in its place. */
interface Manifest {
  readonly exports: Readonly<Record<string, string>>
  readonly bin?: Readonly<Record<string, string>>
  readonly publishConfig: {
    readonly exports: Readonly<Record<string, string | { readonly default: string }>>
    readonly bin?: Readonly<Record<string, string>>
  }
}

/** `dist/ports.js` → `ports`. */
const outputName = (file: string): string => file.replace(/^\.\/dist\/(.*)\.js$/, '$1')

// tsup runs in the folder of the package that it builds.
const { exports, bin = {}, publishConfig } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest

const modules = Object.entries(publishConfig.exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [[outputName(target.default), exports[name] ?? '']],
)
const commands = Object.entries(publishConfig.bin ?? {}).map(([name, file]) => [outputName(file), bin[name] ?? ''])

export default defineConfig({
  entry: Object.fromEntries([...modules, ...commands]) as Record<string, string>,
  format: 'esm',
  target: 'node22', // lowers `await using`
  platform: 'node',
  // All entries in one run: what they share lands in a chunk of its own, so that a class is one class whichever entry it came from.
  dts: { entry: Object.fromEntries(modules) as Record<string, string>, compilerOptions: { stripInternal: true } },
  splitting: true,
  sourcemap: true,
  clean: true,
})
