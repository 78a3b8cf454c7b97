import type { KnipConfig } from 'knip'
import { programsOf } from './tools/fences.ts'

const config: KnipConfig = {
  // The code on the pages of the docs counts as use.
  compilers: { md: (page: string) => programsOf(page).join('\n') },
  workspaces: {
    '.': { entry: ['tools/verify.ts', 'tools/totals-reporter.ts', 'toolchain.mjs'], project: ['*.{ts,mjs}', 'tools/**/*.ts'] },
    docs: { entry: ['**/*.md'], project: ['**/*.md'] },
    // Started by the tests in processes of other test runners.
    'test-kit': { entry: ['test/runners/*.mjs'] },
  },
  ignoreExportsUsedInFile: true,
}

export default config
