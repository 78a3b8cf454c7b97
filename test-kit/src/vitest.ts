/**
 * Conformance under vitest.
 *
 * @packageDocumentation
 */
import { describe, it } from 'vitest'
import { report } from './register.ts'
import type { Contract } from './rule.ts'
import { resultOf } from './run-contract.ts'
import type { RunSettings } from './settings.ts'
import { seedOf } from './settings.ts'
import { unknownWaivers } from './waivers.ts'

/** The kit has deadlines of its own, which say what did not happen; the runner's only ends what they cannot. In milliseconds. */
const runnersTimeoutMs = 600_000

/** Declares a test for each rule of a contract; rules that cannot be shown are skipped, with the reason. */
export const describeContract = <Port>(contract: Contract<Port>, settings: RunSettings = {}): void => {
  const seed = seedOf(settings)
  describe(`${contract.name} (${contract.harness.name})`, () => {
    for (const rule of contract.rules)
      it(`${rule.id} ${rule.level.toUpperCase()}: ${rule.title}`, { timeout: runnersTimeoutMs }, async ({ skip }) => {
        report(await resultOf(contract, rule, { seed }), (why) => skip(why))
      })
    for (const id of unknownWaivers(contract as unknown as Contract<never>))
      it(`${id}: a waiver names a rule of the contract`, () => {
        throw new Error(`the harness waives ${id}, and the contract has no such rule: mend or remove the waiver`)
      })
  })
}
