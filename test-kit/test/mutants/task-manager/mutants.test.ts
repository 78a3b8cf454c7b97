import type { Adapters, Contract } from '@taskledger/test-kit'
import { taskManagerContract } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'
import { everyRuleIsCaught, failedRules } from '../run-mutant.ts'
import type { Breakage } from './broken-harness.ts'
import { brokenHarness, stateless } from './broken-harness.ts'
import { buses } from './buses.ts'
import { listings } from './listings.ts'
import { queues } from './queues.ts'
import { recoveryMutants } from './recovery.ts'
import { rewritingStores } from './rewriting-stores.ts'
import { stores } from './stores.ts'

const mutants = [...stores, ...rewritingStores, ...listings, ...queues, ...buses, ...recoveryMutants]

const contractOf = (breakage: Breakage, ids: readonly string[], deadlineMs: number): Contract<Adapters> => {
  const contract = taskManagerContract(brokenHarness(breakage, deadlineMs))
  return { ...contract, rules: contract.rules.filter(({ id }) => ids.includes(id)) }
}

// Most mutants break other rules too, and a rule that fails may take its whole deadline. So each mutant runs against the rules about
// what is broken, with a short deadline, and against a few others, with a deadline that a busy machine can keep.
describe.concurrent('the mutants under the task manager', () => {
  for (const { name, breakage, fails, holds, deadlineMs = 2_000 } of mutants)
    it(`${name}: ${fails.join(', ')}`, { timeout: 300_000 }, async () => {
      const broken = { name, fails, contract: contractOf(breakage, fails, deadlineMs) }
      const sound = { name, fails: [], contract: contractOf(breakage, holds, 60_000) }
      const failed = await Promise.all([failedRules(broken), failedRules(sound)])
      expect(failed.map((ids) => [...ids].sort())).toEqual([[...fails].sort(), []])
    })

  const whole = taskManagerContract(brokenHarness(stateless({}), 2_000))
  everyRuleIsCaught(mutants.map(({ name, fails }) => ({ name, fails, contract: whole })))
})
