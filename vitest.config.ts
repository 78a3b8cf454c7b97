import { defineConfig } from 'vitest/config'

const conformance = '{packages/*,test-kit,examples/*}/test/**/*.conformance.test.ts'
const integration = '{packages/*,examples/*,verification/*,test-kit,tools,tools/servers}/test/**/*.integration.test.ts'
const packed = 'tools/test/**/*.packed.test.ts'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // The mutants mostly wait.
          maxConcurrency: 16,
          include: ['{packages/*,test-kit,examples/*,verification/*,tools,tools/servers,docs}/test/**/*.test.ts'],
          exclude: [conformance, integration, packed, '**/node_modules/**'],
          typecheck: {
            enabled: true,
            include: ['packages/*/test/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
            // The whole program is checked by tsc: here only what the type tests themselves say counts.
            ignoreSourceErrors: true,
          },
        },
      },
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
