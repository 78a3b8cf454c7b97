import type { EventStore } from '@taskledger/core/ports'
import type { Harness } from '../../framework/harness.ts'
import type { Contract } from '../../framework/rule.ts'
import { createdEvent, freshTaskId } from '../sample-data.ts'
import { traitRules } from '../traits.ts'
import { readingRules } from './appending.ts'
import { cohortRules } from './cohorts.ts'
import { enumerationRules } from './enumeration.ts'
import { faultRules } from './faults.ts'
import { removalRules, versionRules } from './versions.ts'

const withSignal = (signal: AbortSignal | undefined): { signal?: AbortSignal } => (signal === undefined ? {} : { signal })

const traits = traitRules<EventStore>('ES', [
  {
    method: 'append',
    call(port, signal) {
      const taskId = freshTaskId()
      return port.append(taskId, 0, [createdEvent(taskId)], withSignal(signal))
    },
  },
  { method: 'read', call: (port, signal) => port.read(freshTaskId(), withSignal(signal)) },
  {
    method: 'histories',
    call: async (port, signal) => {
      for await (const taskId of port.histories(withSignal(signal))) return taskId
      return undefined
    },
  },
  { method: 'remove', call: (port, signal) => port.remove(freshTaskId(), withSignal(signal)) },
])

/** The rules of an {@link EventStore}, for the subjects of a harness. */
export const eventStoreContract = (harness: Harness<EventStore>): Contract<EventStore> => ({
  name: 'event store',
  harness,
  rules: [...readingRules, ...versionRules, ...cohortRules, ...faultRules, ...removalRules, ...enumerationRules, ...traits],
})
