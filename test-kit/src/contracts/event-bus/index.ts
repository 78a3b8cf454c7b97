import type { EventBus } from '@taskledger/core/ports'
import type { Harness } from '../../framework/harness.ts'
import type { Contract } from '../../framework/rule.ts'
import { faultTraits } from '../fault-traits.ts'
import type { PortCall } from '../port-call.ts'
import { traitRules } from '../traits.ts'
import { faultRules } from './fault-rules.ts'
import { hearsAgain } from './gaps.ts'
import { noticeWith } from './hearing.ts'
import { hearingRules } from './hearing-rules.ts'
import { valueRules } from './values.ts'

const notice = noticeWith(() => 0.5)

// Subscribing does not leave the process. EB-1.6 covers it on a closed client.
const calls: readonly PortCall<EventBus>[] = [{ method: 'publish', call: (port, signal) => port.publish([notice], signal && { signal }) }]

/** The rules of an {@link EventBus}, for the subjects of a harness. */
export const eventBusContract = (harness: Harness<EventBus>): Contract<EventBus> => ({
  name: 'event bus',
  harness,
  rules: [...hearingRules, ...faultRules, ...valueRules, ...traitRules('EB', calls), ...faultTraits('EB', calls, hearsAgain)],
})
