import { dirname } from 'node:path'
import type { KnipConfig } from 'knip'
import { programsOf } from './tools/fences.ts'

const pages = '*.md'

const config: KnipConfig = {
  // The code on a page counts as use, except at the root, which depends on no package of its own.
  compilers: { md: (page: string, path: string) => (dirname(path) === import.meta.dirname ? '' : programsOf(page).join('\n')) },
  workspaces: {
    // attw has no import: a test runs it as a command.
    '.': { entry: [pages, 'tools/totals-reporter.ts'], project: ['*.{ts,mjs,md}', 'tools/**/*.ts'], ignoreDependencies: ['@arethetypeswrong/cli'] },
    'packages/*': { entry: [pages] },
    'examples/*': { entry: [pages] },
    benchmarks: { entry: [pages] },
    docs: { entry: ['**/*.md'], project: ['**/*.md'] },
    // The tests start other test runners, by their paths.
    'test-kit': { entry: [pages, 'test/runners/*.mjs'], ignoreDependencies: ['jest'] },
  },
  ignoreExportsUsedInFile: true,
}

export default config
