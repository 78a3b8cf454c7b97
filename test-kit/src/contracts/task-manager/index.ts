import type { Harness } from '../../framework/harness.ts'
import type { Contract } from '../../framework/rule.ts'
import type { Adapters } from '../../faults/adapters.ts'
import { awaitRules } from './rules/cluster/awaiting.ts'
import { cancelRaces } from './rules/cancelling/races.ts'
import { cancelRules } from './rules/cancelling/requests.ts'
import { clusterRules } from './rules/cluster/nodes.ts'
import { decodingRules } from './rules/tasks/decoding.ts'
import { fencingRules } from './rules/failures/fencing.ts'
import { lifeRules } from './rules/tasks/life.ts'
import { progressRules } from './rules/tasks/progress.ts'
import { recoveryRules } from './rules/failures/recovery.ts'
import { repairRules } from './rules/failures/repair.ts'
import { retryRules } from './rules/tasks/retries.ts'
import { serialRules } from './rules/cluster/serial-queues.ts'
import { shutdownRules } from './rules/cluster/shutdown.ts'
import { stormRules } from './rules/failures/storms.ts'
import { submissionRules } from './rules/tasks/submissions.ts'
import { workerRules } from './rules/cluster/workers.ts'

export type { Adapters } from '../../faults/adapters.ts'

/** The promises of a whole system: task managers with one, two and three nodes, on the storage and messaging that the harness opens. */
export const taskManagerContract = (harness: Harness<Adapters>): Contract<Adapters> => ({
  name: 'task manager',
  harness,
  rules: [
    ...lifeRules,
    ...progressRules,
    ...workerRules,
    ...cancelRules,
    ...cancelRaces,
    ...clusterRules,
    ...awaitRules,
    ...serialRules,
    ...shutdownRules,
    ...decodingRules,
    ...retryRules,
    ...submissionRules,
    ...stormRules,
    ...fencingRules,
    ...recoveryRules,
    ...repairRules,
  ],
})
