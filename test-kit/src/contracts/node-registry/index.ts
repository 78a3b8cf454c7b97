import type { NodeRegistry } from '@taskledger/core/ports'
import type { Harness } from '../../harness.ts'
import type { Contract } from '../../rule.ts'
import { livenessRules } from './liveness.ts'
import { valueRules } from './values.ts'

/** The promises of a {@link NodeRegistry}, held against what the harness opens. */
export const nodeRegistryContract = (harness: Harness<NodeRegistry>): Contract<NodeRegistry> => ({
  name: 'node registry',
  harness,
  rules: [...livenessRules, ...valueRules],
})
