import type { TaskListing } from '@taskledger/core/ports'
import type { Harness } from '../../harness.ts'
import type { Contract } from '../../rule.ts'
import { pageCostRule } from './page-cost.ts'
import { pageRules } from './pages.ts'
import { progressRules } from './progress.ts'
import { removalRule } from './removal.ts'
import { unfinishedRules } from './unfinished.ts'
import { valueRules } from './values.ts'
import { versionRules } from './versions.ts'

/** The promises of a {@link TaskListing}, held against what the harness opens. */
export const taskListingContract = (harness: Harness<TaskListing>): Contract<TaskListing> => ({
  name: 'task listing',
  harness,
  rules: [...versionRules, ...pageRules, pageCostRule, ...unfinishedRules, ...progressRules, removalRule, ...valueRules],
})
