/** Runs all checks that a change has to pass, in order. A failed step does not stop the later steps. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import type { Totals } from './totals-reporter.ts'

const root = join(import.meta.dirname, '..')
const scratch = mkdtempSync(join(tmpdir(), 'taskledger-verify-'))
const notesFile = join(scratch, 'notes')
const env = {
  ...process.env,
  PATH: [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
  NOTES_FILE: notesFile,
  // Each test file has its own process. They share compiled code through this cache, which saves a fifth of the processor time.
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(root, 'node_modules/.cache/compiled'),
  // Some tools print colours even when the output is no terminal.
  ...(process.stdout.isTTY || process.env['FORCE_COLOR'] !== undefined ? {} : { NO_COLOR: '1' }),
}

interface Step {
  readonly title: string
  readonly command: string
}

/** The command that runs some projects of tests. Most tests wait, so each core gets a worker; vitest's default is one less. */
const vitest = (projects: readonly string[], maxWorkers = availableParallelism()): string =>
  [
    'vitest run',
    ...projects.map((project) => `--project ${project}`),
    `--maxWorkers=${maxWorkers}`,
    '--reporter=default --reporter=./tools/totals-reporter.ts',
  ].join(' ')

/**
 * Two lanes that run beside each other, since most tests wait; each runs its steps in order. The output of the first lane appears as it
 * comes, that of the second one at its end. `nice` keeps the shared servers from starving tests that depend on timers.
 */
const lanes: readonly [readonly Step[], readonly Step[]] = [
  [
    { title: 'Types', command: 'tsc -p .' },
    { title: 'Lint', command: 'oxlint' },
    { title: 'Formatting', command: 'oxfmt --check' },
    { title: 'Unused code and dependencies', command: 'knip' },
    { title: 'API reference', command: 'pnpm --silent --filter @taskledger/docs api' },
    { title: 'Unit tests', command: vitest(['unit']) },
    { title: 'Mutants, the simulation, and the conformance of the adapters', command: vitest(['proof', 'conformance']) },
    { title: 'Tests that stop and kill their own servers', command: vitest(['own-servers'], 1) },
  ],
  [
    { title: 'Tests on real servers', command: `nice ${vitest(['integration'], 1)}` },
    { title: 'Packages, packed and used from outside', command: vitest(['packed']) },
  ],
]

/** The totals that a step wrote, or nothing if it ran no tests. */
const readTotals = (file: string): Totals | undefined => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Totals
  } catch {
    return undefined
  }
}

const readNotes = (): string => {
  try {
    return readFileSync(notesFile, 'utf8').trimEnd()
  } catch {
    return ''
  }
}

// After a signal this process waits for the running steps, since they have servers to stop. After the second one it ends them.
let isInterrupted = false
const running = new Set<ChildProcess>()
const interrupt = (signal?: 'SIGTERM'): void => {
  for (const child of running)
    if (isInterrupted) child.kill('SIGKILL')
    else if (signal !== undefined) child.kill(signal)
  isInterrupted = true
}
process.on('SIGINT', () => interrupt()) // a terminal sends it to the steps too
process.on('SIGTERM', () => interrupt('SIGTERM'))

interface Outcome {
  readonly totals: Totals
  readonly output: string
  readonly seconds: string
}

let runs = 0

/** Runs a step; its output goes to the terminal (`inherit`) or into the outcome (`pipe`). */
const run = ({ command }: Step, output: 'inherit' | 'pipe'): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const totalsFile = join(scratch, `totals-${++runs}.json`)
    const startedAt = performance.now()
    // With `exec` the step replaces the shell, so that signals reach it.
    const child = spawn(`exec ${command}`, {
      cwd: root,
      env: { ...env, TOTALS_FILE: totalsFile },
      shell: true,
      stdio: ['ignore', output, output],
    })
    running.add(child)
    const chunks: Buffer[] = []
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.once('error', reject)
    child.once('close', (status, signal) => {
      running.delete(child)
      if (signal === 'SIGINT' || signal === 'SIGTERM') isInterrupted = true
      const totals = readTotals(totalsFile) ?? { passed: 0, failed: 0, skipped: 0 }
      // A failure outside of a test counts as one failed test.
      if (status !== 0 && totals.failed === 0) totals.failed = 1
      resolve({ totals, output: Buffer.concat(chunks).toString(), seconds: ((performance.now() - startedAt) / 1000).toFixed(1) })
    })
  })

const sum: Totals = { passed: 0, failed: 0, skipped: 0 }
const failedSteps: string[] = []

const head = ({ title, command }: Step): void => console.log(`\n── ${title} · ${command.split(' --reporter')[0]}`)

const settle = ({ title }: Step, { totals, seconds }: Outcome): void => {
  for (const key of ['passed', 'failed', 'skipped'] as const) sum[key] += totals[key]
  if (totals.failed > 0) failedSteps.push(title)
  console.log(`── ${totals.failed > 0 ? 'FAILED' : 'ok'} · ${seconds} s`)
}

const [shown, beside] = lanes
const count = shown.length + beside.length
const startedAt = performance.now()
console.log(`Verifying on Node ${process.versions.node}, ${availableParallelism()} cores: ${count} steps`)

const runBeside = async (): Promise<readonly (readonly [Step, Outcome])[]> => {
  const outcomes: (readonly [Step, Outcome])[] = []
  for (const step of beside) if (!isInterrupted) outcomes.push([step, await run(step, 'pipe')])
  return outcomes
}

const besideOutcomes = runBeside()
for (const step of shown) {
  head(step)
  settle(step, await run(step, 'inherit'))
  if (isInterrupted) break
}
for (const [step, outcome] of await besideOutcomes) {
  head(step)
  process.stdout.write(outcome.output)
  settle(step, outcome)
}

const notes = readNotes()
rmSync(scratch, { recursive: true, force: true })
if (isInterrupted) process.exit(130)
console.log(`\n${count} steps in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
if (failedSteps.length > 0) console.log(`Failed: ${failedSteps.join(', ')}`)
if (notes !== '') console.log(notes)
console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''}`)
process.exitCode = sum.failed > 0 ? 1 : 0
