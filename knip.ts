import { join } from 'node:path'
import type { KnipConfig } from 'knip'
import { programsOf } from './tools/fences.ts'

const pages = '*.md'

const config: KnipConfig = {
  // The code on the pages of docs counts as use of what docs/package.json names.
  compilers: {
    md: (page: string, path: string) => (path.startsWith(join(import.meta.dirname, 'docs')) ? programsOf(page).join('\n') : ''),
  },
  workspaces: {
    // attw has no import: a test runs it as a command.
    '.': {
      entry: [pages, 'tools/totals-reporter.ts', 'tools/publishing/pack.ts', 'tools/rehearsal/main.ts'], // toolchain.mjs runs the latter two
      project: ['*.{ts,mjs,md}', 'tools/**/*.ts'],
      ignoreDependencies: ['@arethetypeswrong/cli'],
    },
    'verification/benchmarks': { entry: [pages] },
    'verification/simulation': { entry: ['test/mutant-worker.ts'] },
    'packages/*': { entry: [pages] },
    // A test compiles it against the tarball.
    'packages/core': { entry: [pages, 'test/user-program.ts'] },
    // A test runs it as a process.
    'packages/cassandra': { entry: [pages, 'test/outage-then-end.ts'] },
    'examples/cluster': { entry: [pages] },
    'examples/custom-adapter': { entry: [pages] },
    // Every system that has pipes has the command.
    'examples/reindex': { entry: [pages], ignoreBinaries: ['mkfifo'] },
    docs: { entry: ['**/*.md'], project: ['**/*.md', 'site/*.ts', '.vitepress/**/*.ts'] },
    // Tests run them as processes.
    'tools/servers': { entry: ['test/process/parent.ts', 'test/process/program.ts'] },
    // The tests start other test runners, by their paths.
    'test-kit': { entry: [pages, 'test/contracts/*.md', 'test/runners/*.mjs'], ignoreDependencies: ['jest'] },
  },
  ignoreExportsUsedInFile: true,
}

export default config
