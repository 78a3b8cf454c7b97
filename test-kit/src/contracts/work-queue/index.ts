import type { WorkQueue } from '@taskledger/core/ports'
import type { Harness } from '../../framework/harness.ts'
import type { Contract, Rule } from '../../framework/rule.ts'
import { traitRules } from '../traits.ts'
import { closingRules } from './closing-rules.ts'
import { deadLetterRules } from './dead-letter-rules.ts'
import { deliveryRules } from './delivery-rules.ts'
import { depthRule } from './depth-rule.ts'
import { faultRules } from './fault-rules.ts'
import { leaseRules } from './lease-rules.ts'
import { loadRules } from './load-rules.ts'
import { malformedRule } from './malformed-rule.ts'
import { pageRules } from './page-rules.ts'
import { messageWith } from './sample-messages.ts'
import { serialRules } from './serial-rules.ts'
import { settlingRules } from './settling-rules.ts'
import { valueRules } from './values.ts'

const message = messageWith(() => 0.5)

const traits = traitRules<WorkQueue>('WQ', [
  { method: 'send', call: (port, signal) => port.send('default', message, signal && { signal }) },
  { method: 'depth', call: (port, signal) => port.depth('default', signal && { signal }) },
  {
    method: 'deadLetters',
    call: async (port, signal) => {
      for await (const letter of port.deadLetters('default', signal && { signal })) return letter
      return undefined
    },
  },
  {
    method: 'consume',
    call: (port, signal) => port.consume('default', async () => {}, { slots: 1, mode: 'parallel', ...(signal && { signal }) }),
  },
])

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
    ...traits,
  ].sort(byId),
})
