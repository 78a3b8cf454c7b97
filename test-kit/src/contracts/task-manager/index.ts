import type { Harness } from '../../harness.ts'
import type { Contract } from '../../rule.ts'
import type { Adapters } from './adapters.ts'
import { awaitRules } from './await-rules.ts'
import { cancelRaces } from './cancel-races.ts'
import { cancelRules } from './cancel-rules.ts'
import { clusterRules } from './cluster-rules.ts'
import { decodingRules } from './decoding-rules.ts'
import { fencingRules } from './fencing-rules.ts'
import { lifeRules } from './life-rules.ts'
import { progressRules } from './progress-rules.ts'
import { recoveryRules } from './recovery-rules.ts'
import { repairRules } from './repair-rules.ts'
import { retryRules } from './retry-rules.ts'
import { serialRules } from './serial-rules.ts'
import { shutdownRules } from './shutdown-rules.ts'
import { stormRules } from './storm-rules.ts'
import { submissionRules } from './submission-rules.ts'
import { workerRules } from './worker-rules.ts'

export type { Adapters } from './adapters.ts'

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
