import type { Contract, RuleResult } from './rule.ts'
import { resultOf } from './run-contract.ts'
import type { RunSettings } from './settings.ts'
import { seedOf } from './settings.ts'
import { unknownWaivers } from './waivers.ts'

/** What a test of the runner is called with: node:test gives a context that can skip, mocha has it as `this`. */
export type TestBody = (this: unknown, ...given: never[]) => Promise<void>

/** What every runner has: node:test, mocha, jest, bun, vitest. */
export interface Runner {
  describe(name: string, body: () => void): unknown
  it(name: string, body: TestBody): unknown
}

/**
 * Declares a test for each rule of a contract. A rule that cannot be shown is skipped with its reason where the runner can
 * skip a test that has begun (node:test, mocha, vitest), and told on the console where it cannot (jest).
 *
 * Give the runner more time than a rule takes: the kit has deadlines of its own, with sentences that say what did not happen.
 */
export const register = <Port>(contract: Contract<Port>, { describe, it }: Runner, settings: RunSettings = {}): void => {
  const seed = seedOf(settings)
  describe(`${contract.name} (${contract.harness.name})`, () => {
    for (const rule of contract.rules)
      it(`${rule.id} ${rule.level.toUpperCase()}: ${rule.title}`, async function (this: unknown, ...given: readonly unknown[]) {
        report(await resultOf(contract, rule, { seed }), skipOf(this, given[0]))
      })
    for (const id of unknownWaivers(contract as unknown as Contract<never>))
      it(`${id}: a waiver names a rule of the contract`, async () => {
        throw new Error(`the harness waives ${id}, and the contract has no such rule: mend or remove the waiver`)
      })
  })
}

/** Turns a result into what the runner understands. */
export const report = (result: RuleResult, skip: Skip): void => {
  const { status, message = '' } = result
  if (status === 'failed' || status === 'error') throw new Error(message)
  if (status === 'not shown' || status === 'waived') skip(`${status}: ${message}`, result.id)
}

/** Skips the test that runs. */
export type Skip = (why: string, id: string) => void

const skipOf = (self: unknown, context: unknown): Skip => {
  // node:test gives its context as the first argument; mocha takes a first argument for a callback, and has `this`.
  for (const candidate of [context, self])
    if (typeof candidate === 'object' && candidate !== null && 'skip' in candidate && typeof candidate.skip === 'function') {
      const { skip } = candidate
      return (why, id) => {
        if (candidate === self) console.info(`${id} ${why}`)
        skip.call(candidate, why)
      }
    }
  return (why, id) => console.info(`${id} ${why}`)
}
