/** Everything that has to hold before a change is merged, in order. A failed step does not stop the ones after it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import type { Totals } from './totals-reporter.ts'

const root = join(import.meta.dirname, '..')
const scratch = mkdtempSync(join(tmpdir(), 'taskledger-verify-'))
const totalsFile = join(scratch, 'totals.json')
const env = {
  ...process.env,
  PATH: [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
  TOTALS_FILE: totalsFile,
  // Some tools colour what no terminal shows.
  ...(process.stdout.isTTY || process.env['FORCE_COLOR'] !== undefined ? {} : { NO_COLOR: '1' }),
}

const vitest = (project: string): string => `vitest run --project ${project} --reporter=default --reporter=./tools/totals-reporter.ts`

const steps: readonly (readonly [title: string, command: string])[] = [
  ['Types', 'tsc -p .'],
  ['Lint', 'oxlint'],
  ['Formatting', 'oxfmt --check'],
  ['Unused code and dependencies', 'knip'],
  ['API reference', 'pnpm --silent --filter @taskledger/docs api'],
  ['Unit tests', vitest('unit')],
  ['Conformance of the adapters', vitest('conformance')],
  ['Packages, packed and used from outside', vitest('packed')],
]

/** What the run of tests left behind, or nothing where the step ran none. */
const readTotals = (): Totals | undefined => {
  try {
    return JSON.parse(readFileSync(totalsFile, 'utf8')) as Totals
  } catch {
    return undefined
  } finally {
    rmSync(totalsFile, { force: true })
  }
}

const sum: Totals = { passed: 0, failed: 0, skipped: 0 }
const failedSteps: string[] = []
const startedAt = performance.now()
console.log(`Verifying on Node ${process.versions.node}, ${availableParallelism()} cores: ${steps.length} steps`)

for (const [title, command] of steps) {
  console.log(`\n── ${title} · ${command.split(' --reporter')[0]}`)
  const stepStartedAt = performance.now()
  const { status, signal } = spawnSync(command, { cwd: root, env, shell: true, stdio: ['ignore', 'inherit', 'inherit'] })
  if (signal === 'SIGINT' || signal === 'SIGTERM') process.exit(130)
  const totals = readTotals() ?? { passed: 0, failed: 0, skipped: 0 }
  // What fails outside of a test, be it a whole step, counts as one.
  if (status !== 0 && totals.failed === 0) totals.failed = 1
  for (const key of ['passed', 'failed', 'skipped'] as const) sum[key] += totals[key]
  if (totals.failed > 0) failedSteps.push(title)
  console.log(`── ${totals.failed > 0 ? 'FAILED' : 'ok'} · ${((performance.now() - stepStartedAt) / 1000).toFixed(1)} s`)
}

rmSync(scratch, { recursive: true, force: true })
console.log(`\n${steps.length} steps in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
if (failedSteps.length > 0) console.log(`Failed: ${failedSteps.join(', ')}`)
console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''}`)
process.exitCode = sum.failed > 0 ? 1 : 0
