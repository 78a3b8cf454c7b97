import type { TaskListing } from '@taskledger/core/ports'
import type { Harness } from '../../framework/harness.ts'
import type { Contract } from '../../framework/rule.ts'
import { faultTraits } from '../fault-traits.ts'
import type { PortCall } from '../port-call.ts'
import { iterationCall } from '../port-call.ts'
import { traitRules } from '../traits.ts'
import { longListRules, longShardRule } from './long-lists.ts'
import { pageCostRule } from './page-cost.ts'
import { pageRules } from './pages.ts'
import { progressRules } from './progress.ts'
import { removalRules } from './removal.ts'
import { detailsWith } from './sample-details.ts'
import { unfinishedRules } from './unfinished.ts'
import { unreadableRules } from './unreadable.ts'
import { valueRules } from './values.ts'
import { versionRules } from './versions.ts'

const details = detailsWith(() => 0.5)

const calls: readonly PortCall<TaskListing>[] = [
  { method: 'save', call: (port, signal) => port.save(details, signal && { signal }) },
  { method: 'list', call: (port, signal) => port.list({}, { limit: 1, ...(signal && { signal }) }) },
  iterationCall('unfinished', {
    begin: (port, signal) => port.unfinished({ shard: 0, of: 1 }, { signal }),
    async fill(port) {
      for (const random of [0.25, 0.75]) await port.save(detailsWith(() => random))
    },
  }),
  {
    method: 'saveProgress',
    call: (port, signal) => port.saveProgress(details, { attempt: 1, sequence: 1, at: 0, value: 1 }, signal && { signal }),
  },
  { method: 'progress', call: (port, signal) => port.progress(details, signal && { signal }) },
  { method: 'remove', call: (port, signal) => port.remove(details, signal && { signal }) },
]

/** The rules of a {@link TaskListing}, for the subjects of a harness. */
export const taskListingContract = (harness: Harness<TaskListing>): Contract<TaskListing> => ({
  name: 'task listing',
  harness,
  rules: [
    ...versionRules,
    ...pageRules,
    pageCostRule,
    ...longListRules,
    ...unfinishedRules,
    longShardRule,
    ...progressRules,
    ...removalRules,
    ...valueRules,
    ...unreadableRules,
    ...traitRules('TL', calls),
    ...faultTraits('TL', calls),
  ],
})
