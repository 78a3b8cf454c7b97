import type { WorkQueue } from '@taskledger/core/ports'
import type { Harness } from '../../framework/harness.ts'
import type { Contract, Rule } from '../../framework/rule.ts'
import { faultTraits } from '../fault-traits.ts'
import { traitRules } from '../traits.ts'
import { deliversAgain, queueCalls } from './calls.ts'
import { closingRules } from './closing-rules.ts'
import { deadLetterRules } from './dead-letter-rules.ts'
import { deliveryRules } from './delivery-rules.ts'
import { depthRule } from './depth-rule.ts'
import { faultRules } from './fault-rules.ts'
import { leaseRules } from './lease-rules.ts'
import { loadRules } from './load-rules.ts'
import { malformedRule } from './malformed-rule.ts'
import { pageRules } from './page-rules.ts'
import { serialRules } from './serial-rules.ts'
import { settlingRules } from './settling-rules.ts'
import { valueRules } from './values.ts'

/** The order of the contract page. */
const byId = ({ id }: Rule<WorkQueue>, other: Rule<WorkQueue>): number => id.localeCompare(other.id, 'en', { numeric: true })

/** The rules of a {@link WorkQueue}, for the subjects of a harness. */
export const workQueueContract = (harness: Harness<WorkQueue>): Contract<WorkQueue> => ({
  name: 'work queue',
  harness,
  rules: [
    ...deliveryRules,
    ...loadRules,
    ...serialRules,
    ...settlingRules,
    ...leaseRules,
    malformedRule,
    ...closingRules,
    ...faultRules,
    ...valueRules,
    depthRule,
    ...deadLetterRules,
    ...pageRules,
    ...faultTraits('WQ', queueCalls, deliversAgain),
    ...traitRules('WQ', queueCalls),
  ].sort(byId),
})
