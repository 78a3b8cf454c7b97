import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runNode } from './run.ts'

const require = createRequire(import.meta.url)
const timeout = 120_000

const packageFolder = (name: string): string => dirname(require.resolve(`${name}/package.json`))

const runners: readonly { readonly name: string; readonly given: readonly string[]; readonly passed: RegExp; readonly skipped: RegExp }[] =
  [
    {
      name: 'node:test',
      given: ['--test', '--test-reporter=spec', 'node.test-file.mjs'],
      passed: /pass 2/,
      skipped: /skipped 1/,
    },
    {
      name: 'mocha',
      given: [join(packageFolder('mocha'), 'bin/mocha.js'), 'mocha.test-file.mjs'],
      passed: /2 passing/,
      skipped: /1 pending/,
    },
    {
      name: 'jest',
      // jest needs a flag for ESM, and no transforms.
      given: [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        join(packageFolder('jest'), 'bin/jest.js'),
        '--rootDir=.',
        '--testMatch=**/jest.test-file.mjs',
        '--config={"transform":{}}',
        '--verbose',
      ],
      passed: /2 passed/,
      skipped: /1 skipped/,
    },
  ]

describe.each(runners)('register under $name', ({ given, passed, skipped }) => {
  it('reports rules that hold, and rules that cannot be tried with the reason', { timeout }, async () => {
    const { status, output } = await runNode(given)
    expect(output).toMatch(passed)
    expect(output).toMatch(skipped)
    expect(output).toContain('the harness has no fault "cut"')
    expect(status).toBe(0)
  })

  it('fails where a rule does not hold', { timeout }, async () => {
    const { status, output } = await runNode(given, { BROKEN: '1' })
    expect(output).toContain('it does not hold')
    expect(output).toContain('[R-3] R-3 holds (engine 1.0)')
    expect(status).not.toBe(0)
  })
})

describe('taskledger-conformance', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'conformance-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const command = '../../src/runners/taskledger-conformance.ts'

  it('prints a report, writes JUnit, JSON and Markdown, and succeeds', { timeout }, async () => {
    const [xml, json, table] = [join(folder, 'junit.xml'), join(folder, 'report.json'), join(folder, 'table.md')]
    const { status, output } = await runNode([
      command,
      'harness.mjs',
      ...[xml, json, table].flatMap((file) => ['--report', file]),
      '--seed',
      '7',
    ])
    expect(output).toContain('2 passed, 1 not shown (seed 7)')
    expect(status).toBe(0)
    expect(await readFile(xml, 'utf8')).toContain('<testsuite name="sample (engine 1.0)" tests="3" failures="0" errors="0" skipped="1"')
    expect(await readFile(table, 'utf8')).toContain('| R-1 | R-1 holds | holds |')
    expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject([
      { contract: 'sample', ok: true, results: [{ id: 'R-1' }, { id: 'R-2' }, { id: 'R-3' }] },
    ])
  })

  it('fails where a rule does not hold, and runs only the rules of --only', { timeout }, async () => {
    expect((await runNode([command, 'harness.mjs'], { BROKEN: '1' })).status).toBe(1)
    expect((await runNode([command, 'harness.mjs', '--only', 'R-1'], { BROKEN: '1' })).status).toBe(0)
  })

  it('runs several harnesses, and leaves out the contracts in which --only chooses no rule', { timeout }, async () => {
    const both = await runNode([command, 'harness.mjs', 'other-harness.mjs', 'harness.mjs'])
    expect(both.output).toContain('sample (engine 1.0): 2 passed, 1 not shown')
    expect(both.output).toContain('other (engine 2.0): 1 passed')
    expect(both.output).toContain('3 passed, 1 not shown (seed')
    const xml = join(folder, 'junit.xml')
    const one = await runNode([command, 'harness.mjs', 'other-harness.mjs', '--only', 'O-', '--report', xml])
    expect(one.output).toContain('other (engine 2.0): 1 passed')
    expect(one.output).not.toContain('sample')
    expect(await readFile(xml, 'utf8')).not.toContain('sample')
  })

  it('prints each rule as it ends, the rules that do not hold again, and how long it took', { timeout }, async () => {
    const { output } = await runNode([command, 'harness.mjs'], { BROKEN: '1' })
    expect(output).toMatch(/^sample \(engine 1.0\): 3 rules\n {2}R-2 {2}not shown {2}R-2 holds\n/)
    expect(output).toContain('These rules do not hold, or could not be tried:\n  R-3  failed  R-3 holds\n')
    expect(output).toMatch(/\(seed \d+\) in \d+\.\d s\n$/)
  })

  it('ends although every disposal hangs', { timeout }, async () => {
    const { status, output } = await runNode([command, 'harness.mjs'], { HANGING: '1' })
    expect(output).toContain(
      'The harness failed in "dispose": TimedOut: Timed out after 100 ms waiting until "dispose" of the harness ends',
    )
    expect(status).toBe(1)
  })

  it('ends although the harness leaves a timer open', { timeout }, async () => {
    expect((await runNode([command, 'harness.mjs'], { RESTLESS: '1' })).status).toBe(0)
  })

  it.each([
    [[], 'give a harness'],
    [['nowhere.mjs'], 'nowhere.mjs'],
    [['run.ts'], 'exports no contract'],
    [['harness.mjs', '--report', 'report.txt'], '.xml'],
    [['harness.mjs', '--seed', 'lucky'], 'whole number'],
    [['harness.mjs', '--only', 'X-1'], 'no rule is called X-1'],
    [['harness.mjs', '--wrong'], '--wrong'],
  ])('says what is wrong with %j', { timeout }, async (given, message) => {
    const { status, output } = await runNode([command, ...given])
    expect(output).toContain(message)
    expect(status).toBe(2)
  })
})
