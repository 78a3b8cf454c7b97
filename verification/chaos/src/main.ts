// Real processes, real engines, and all that can go wrong with them; then a checker that judges by files alone.
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { Command, InvalidArgumentError } from 'commander'
import { chaosRun } from './chaos-run.ts'
import type { Verdict } from './check.ts'
import { check, isAllWell, readEvidence } from './check.ts'
import { planOf, shortPlan } from './plan.ts'
import { reportOf } from './report.ts'
import { quickPace, usualPace } from './settings.ts'

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

const whole = (text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('Give a whole number.')
  return value
}

const tell = (verdict: Verdict): void => {
  for (const line of reportOf(verdict)) say(line)
  process.exitCode = isAllWell(verdict) ? 0 : 1
}

const run = async ({ minutes, seed, quick, short, ring, folder: wanted, check: checked }: Options): Promise<void> => {
  if (checked !== undefined) return tell(check(readEvidence(resolve(checked))))
  const folder = wanted === undefined ? mkdtempSync(join(tmpdir(), 'taskledger-chaos-')) : resolve(wanted)
  mkdirSync(folder, { recursive: true })
  const over = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => over.abort(new Error('ended by a signal')))
  const pace = quick || short ? quickPace : usualPace
  const forMs = short ? 20_000 : minutes * 60_000
  const settings = { ...pace, seed, forMs, folder }
  say(`seed ${seed}, ${forMs / 1000} s of faults; the evidence is in ${folder}`)
  const plan = short ? shortPlan : planOf({ seed, forMs, ttlMs: settings.lease.ttlMs, cassandraNodes: ring ? 3 : 1 })
  try {
    tell(await chaosRun({ settings, plan, isRing: ring, say, signal: over.signal }))
  } catch (error) {
    if (!over.signal.aborted) throw error
    say('ended by a signal, before anything could be judged')
    process.exitCode = 130
    return
  }
  say(`npm run chaos -- --check ${folder}   judges it again`)
}

await new Command('npm run chaos --')
  .description('Four workers, two submitters and two clients on a Cassandra and a RabbitMQ of their own, under faults by chance.')
  .option('--minutes <n>', 'for how long faults strike', positive, 5)
  .option('--seed <n>', 'brings the same faults about again', whole, Date.now() % 1_000_000)
  .option('--quick', 'short leases: more happens in less time', false)
  .option('--short', 'a few chosen faults within 20 s, with short leases', false)
  .option('--ring', 'Cassandra is a ring of three nodes on 127.0.0.11 to .13, of which one is killed at a time', false)
  .option('--folder <path>', 'where the evidence goes, an empty folder (default: a new one of the system)')
  .option('--check <path>', 'runs nothing, and judges the evidence of an earlier run')
  .addHelpText('after', '\nExit codes: 0 no promise was broken, 1 one was, or the run failed, 130 ended by a signal.')
  .action(run)
  .parseAsync()
