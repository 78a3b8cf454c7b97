import type { Adapters, Contract } from '@taskledger/test-kit'
import { taskManagerContract } from '@taskledger/test-kit'
import { describe } from 'vitest'
import type { Mutant } from './run-mutant.ts'
import { describeMutants, everyRuleIsCaught } from './run-mutant.ts'
import { brokenHarness } from './task-manager.broken.ts'
import type { BrokenAdapters } from './task-manager.mutants.ts'
import { brokenAdapters } from './task-manager.mutants.ts'

// A rule that fails takes its whole deadline, and most of these break every other rule too: each is tried on the rules
// that are about what is broken, and on a few that are not.
const tried = ({ breakage, fails, holds }: BrokenAdapters): Contract<Adapters> => {
  const contract = taskManagerContract(brokenHarness(breakage))
  return { ...contract, rules: contract.rules.filter(({ id }) => fails.includes(id) || holds.includes(id)) }
}

const mutants = brokenAdapters.map((broken): Mutant<Adapters> => ({ name: broken.name, fails: broken.fails, contract: tried(broken) }))

describe.concurrent('under the task manager', () => {
  describeMutants('storage and messaging', mutants)
  everyRuleIsCaught(mutants.map((mutant) => ({ ...mutant, contract: taskManagerContract(brokenHarness(() => (client) => client)) })))
})
