import { defineConfig } from 'vitest/config'

const conformance = '{packages/*,test-kit,examples/*}/test/**/*.conformance.test.ts'
const integration = '{packages/*,examples/*,verification/*,test-kit,tools,tools/servers}/test/**/*.integration.test.ts'
const ownServers = '{packages/*,verification/*}/test/**/*.own-servers.test.ts'
/** Mutants, and the seeds of the simulation: each file is busy for seconds, or waits for its rules. */
const proof = '{test-kit/test/mutants,verification/simulation/test}/**/*.test.ts'
const packed = 'tools/test/**/*.packed.test.ts'

const onServers = { sequence: { concurrent: true }, maxConcurrency: 16, testTimeout: 120_000, hookTimeout: 180_000 }

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          // For a machine that does much else: the slowest test takes 1 s.
          testTimeout: 30_000,
          // All files in one process: to load the sources anew for each file takes longer than the tests.
          isolate: false,
          fileParallelism: false,
          // A group of its own, since its number of workers is: so `vitest` runs all projects in one go, too.
          sequence: { groupOrder: 1 },
          include: ['{packages/*,test-kit,examples/*,verification/*,tools,tools/servers,docs}/test/**/*.test.ts'],
          exclude: [proof, conformance, integration, ownServers, packed, '**/node_modules/**'],
          typecheck: {
            enabled: true,
            include: ['packages/*/test/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
            // The whole program is checked by tsc: here only what the type tests themselves say counts.
            ignoreSourceErrors: true,
          },
        },
      },
      // The mutants mostly wait. More of them at a time, and what they wait for takes longer than the remedies that they must not need.
      { test: { name: 'proof', include: [proof], maxConcurrency: 16 } },
      { test: { name: 'conformance', include: [conformance] } },
      // On real servers, which the setup finds or starts: one of each for all files.
      {
        test: {
          name: 'integration',
          include: [integration],
          globalSetup: ['tools/servers/src/vitest-setup.ts'],
          ...onServers,
        },
      },
      // On servers that a file starts for itself, since it stops and kills them.
      {
        test: {
          name: 'own-servers',
          include: [ownServers],
          globalSetup: ['tools/servers/src/vitest-setup-own.ts'],
          ...onServers,
        },
      },
      // Builds, packs, and installs from the registry that npm is set to: minutes, not seconds.
      { test: { name: 'packed', include: [packed], testTimeout: 600_000, hookTimeout: 600_000 } },
    ],
  },
})
