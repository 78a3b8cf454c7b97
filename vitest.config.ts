import { defineConfig } from 'vitest/config'

const conformance = '{packages/*,test-kit,examples/*}/test/**/*.conformance.test.ts'
const integration = '{packages/*,examples/*,integration,test-kit,tools,tools/servers,benchmarks,chaos}/test/**/*.integration.test.ts'
// Broken adapters, and the rules that have to see them.
const mutants = 'test-kit/test/{mutants,networked}/**/*.test.ts'
const packed = 'tools/test/**/*.packed.test.ts'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // A process for each file would take as long as what they test.
          isolate: false,
          // Long enough for a machine that is busy with other things.
          testTimeout: 60_000,
          include: ['{packages/*,test-kit,examples/*,tools,tools/servers,docs,chaos}/test/**/*.test.ts'],
          exclude: [conformance, integration, mutants, packed, '**/node_modules/**'],
          typecheck: {
            enabled: true,
            include: ['packages/*/test/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
            // The whole program is checked by tsc: here only what the type tests themselves say counts.
            ignoreSourceErrors: true,
          },
        },
      },
      // They mostly wait.
      { test: { name: 'mutants', include: [mutants], maxConcurrency: 16 } },
      { test: { name: 'conformance', include: [conformance] } },
      // On real servers, which the setup finds or starts: one of each for all files.
      {
        test: {
          name: 'integration',
          include: [integration],
          globalSetup: ['tools/servers/src/vitest-setup.ts'],
          sequence: { concurrent: true },
          maxConcurrency: 16,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      // Builds, packs, and installs from the registry that npm is set to: minutes, not seconds.
      { test: { name: 'packed', include: [packed], testTimeout: 600_000, hookTimeout: 600_000 } },
    ],
  },
})
