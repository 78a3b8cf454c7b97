import type { Adapters, Contract } from '@taskledger/test-kit'
import { taskManagerContract } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'
import { everyRuleIsCaught, failedRules } from './run-mutant.ts'
import type { Breakage } from './task-manager.broken.ts'
import { brokenHarness } from './task-manager.broken.ts'
import { recoveryMutants } from './recovery.mutants.ts'
import { brokenAdapters } from './task-manager.mutants.ts'

const mutants = [...brokenAdapters, ...recoveryMutants]

const contractOf = (breakage: Breakage, ids: readonly string[], deadlineMs: number): Contract<Adapters> => {
  const contract = taskManagerContract(brokenHarness(breakage, deadlineMs))
  return { ...contract, rules: contract.rules.filter(({ id }) => ids.includes(id)) }
}

// Most of these break every other rule too, and a rule that fails may take its whole deadline. So each is tried on the rules
// that are about what is broken, with a short one, and on a few that are not, with one that a busy machine can keep.
describe.concurrent('the mutants under the task manager', () => {
  for (const { name, breakage, fails, holds, deadlineMs = 2_000 } of mutants)
    it(`${name}: ${fails.join(', ')}`, { timeout: 300_000 }, async () => {
      const broken = { name, fails, contract: contractOf(breakage, fails, deadlineMs) }
      const sound = { name, fails: [], contract: contractOf(breakage, holds, 60_000) }
      const failed = await Promise.all([failedRules(broken), failedRules(sound)])
      expect(failed.map((ids) => [...ids].sort())).toEqual([[...fails].sort(), []])
    })

  const whole = taskManagerContract(brokenHarness(() => (client) => client, 2_000))
  everyRuleIsCaught(mutants.map(({ name, fails }) => ({ name, fails, contract: whole })))
})
