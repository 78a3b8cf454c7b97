import { defineConfig } from 'vitest/config'

const conformance = '{packages/*,test-kit,examples/*}/test/**/*.conformance.test.ts'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{packages/*,test-kit,examples/*,tools,docs}/test/**/*.test.ts'],
          exclude: [conformance, '**/node_modules/**'],
          typecheck: {
            enabled: true,
            include: ['packages/*/test/**/*.test-d.ts'],
            tsconfig: './tsconfig.json',
          },
        },
      },
      { test: { name: 'conformance', include: [conformance] } },
    ],
  },
})
