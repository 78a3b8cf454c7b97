import type { NodeRegistry } from '@taskledger/core/ports'
import type { Harness } from '../../framework/harness.ts'
import type { Contract } from '../../framework/rule.ts'
import { faultTraits } from '../fault-traits.ts'
import type { PortCall } from '../port-call.ts'
import { traitRules } from '../traits.ts'
import { livenessRules } from './liveness.ts'
import { longTtlMs, nodeWith } from './sample-nodes.ts'
import { unreadableRules } from './unreadable.ts'
import { valueRules } from './values.ts'

const calls: readonly PortCall<NodeRegistry>[] = [
  { method: 'renew', call: (port, signal) => port.renew(nodeWith(), longTtlMs, signal && { signal }) },
  { method: 'leave', call: (port, signal) => port.leave('never-there', signal && { signal }) },
  { method: 'live', call: (port, signal) => port.live(signal && { signal }) },
]

/** The rules of a {@link NodeRegistry}, for the subjects of a harness. */
export const nodeRegistryContract = (harness: Harness<NodeRegistry>): Contract<NodeRegistry> => ({
  name: 'node registry',
  harness,
  rules: [...livenessRules, ...valueRules, ...unreadableRules, ...traitRules('NR', calls), ...faultTraits('NR', calls)],
})
