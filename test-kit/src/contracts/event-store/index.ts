import type { EventStore } from '@taskledger/core/ports'
import type { Harness } from '../../framework/harness.ts'
import type { Contract } from '../../framework/rule.ts'
import { createdEvent, freshTaskId } from '../sample-data.ts'
import { faultTraits } from '../fault-traits.ts'
import type { PortCall } from '../port-call.ts'
import { iterationCall } from '../port-call.ts'
import { traitRules } from '../traits.ts'
import { readingRules } from './appending.ts'
import { cohortRules } from './cohorts.ts'
import { enumerationRules } from './enumeration.ts'
import { faultRules } from './faults.ts'
import { removalRules, versionRules } from './versions.ts'

const begin = (port: EventStore): Promise<void> => {
  const taskId = freshTaskId()
  return port.append(taskId, 0, [createdEvent(taskId)])
}

const calls: readonly PortCall<EventStore>[] = [
  {
    method: 'append',
    call(port, signal) {
      const taskId = freshTaskId()
      return port.append(taskId, 0, [createdEvent(taskId)], { signal })
    },
  },
  { method: 'read', call: (port, signal) => port.read(freshTaskId(), { signal }) },
  iterationCall('histories', {
    begin: (port, signal) => port.histories({ signal }),
    async fill(port) {
      for (const _ of [1, 2]) await begin(port)
    },
  }),
  { method: 'remove', call: (port, signal) => port.remove(freshTaskId(), { signal }) },
]

/** The rules of an {@link EventStore}, for the subjects of a harness. */
export const eventStoreContract = (harness: Harness<EventStore>): Contract<EventStore> => ({
  name: 'event store',
  harness,
  rules: [
    ...readingRules,
    ...versionRules,
    ...cohortRules,
    ...faultRules,
    ...removalRules,
    ...enumerationRules,
    ...traitRules('ES', calls),
    ...faultTraits('ES', calls),
  ],
})
