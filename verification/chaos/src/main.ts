/** `npm run chaos`: real processes and engines under faults, and a checker that judges by their evidence alone. */
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { interruption, ServerNotAvailable } from '@taskledger/servers'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { readEvidence } from './evidence/files.ts'
import { planOf } from './plan/plan.ts'
import { shortPlan } from './plan/short-plan.ts'
import { chaosRun } from './run.ts'
import { quickPace, usualPace } from './settings.ts'
import { check } from './verdict/check.ts'
import { reportOf } from './verdict/report.ts'
import type { Verdict } from './verdict/verdict.ts'
import { isAllWell } from './verdict/verdict.ts'

interface Options {
  readonly minutes: number
  readonly seed: number
  readonly quick: boolean
  readonly short: boolean
  readonly ring: boolean
  readonly folder?: string
  readonly check?: string
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const positive = (text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('Give a number above 0.')
  return value
}

const wholeNumber = (text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('Give a whole number, 0 or more.')
  return value
}

const show = (verdict: Verdict): void => {
  for (const line of reportOf(verdict)) say(line)
  process.exitCode = isAllWell(verdict) ? 0 : 1
}

const run = async ({ minutes, seed, quick, short, ring, folder: wanted, check: checked }: Options): Promise<void> => {
  if (checked !== undefined) return show(check(readEvidence(resolve(checked))))
  const folder = wanted === undefined ? mkdtempSync(join(tmpdir(), 'taskledger-chaos-')) : resolve(wanted)
  mkdirSync(folder, { recursive: true })
  const signal = interruption()
  const pace = quick || short ? quickPace : usualPace
  const forMs = short ? 20_000 : minutes * 60_000
  const settings = { ...pace, seed, forMs, folder }
  say(`seed ${seed}, ${forMs / 1000} s of faults; the evidence is in ${folder}`)
  const plan = short ? shortPlan : planOf({ seed, forMs, ttlMs: settings.lease.ttlMs, cassandraNodes: ring ? 3 : 1 })
  try {
    show(await chaosRun({ settings, plan, isRing: ring, say, signal }))
  } catch (error) {
    if (!signal.aborted) throw error
    return say('ended by a signal: nothing was judged')
  }
  say(`npm run chaos -- --check ${folder}   judges it again`)
}

const existingFolder = (path: string): string => {
  if (!existsSync(path)) throw new InvalidArgumentError('The folder does not exist.')
  return path
}

try {
  await new Command('npm run chaos --')
    .description(
      'Starts a Cassandra and a RabbitMQ, four workers, two submitters and two clients, injects random faults, and checks that no promise was broken.',
    )
    .exitOverride()
    .option('--minutes <n>', 'how long faults are injected', positive, 5)
    .option('--seed <n>', 'repeats the faults of an earlier run', wholeNumber, Date.now() % 1_000_000)
    .option('--quick', 'short leases: more happens in less time', false)
    .option('--short', 'a few chosen faults within 20 s, with short leases', false)
    .option('--ring', 'Cassandra is a ring of three nodes on 127.0.0.11 to .13, and one node is killed at a time', false)
    .option('--folder <path>', 'an empty folder for the evidence (default: a new temporary folder)')
    .option('--check <path>', 'runs nothing, and judges the evidence of an earlier run', existingFolder)
    .addHelpText(
      'after',
      '\nExit codes: 0 no promise was broken, 1 one was, or the run failed, 2 wrong arguments or servers, 130 ended by a signal.',
    )
    .action(run)
    .parseAsync()
} catch (error) {
  // Commander has written its message already.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else if (error instanceof ServerNotAvailable) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 2
  } else throw error
}
