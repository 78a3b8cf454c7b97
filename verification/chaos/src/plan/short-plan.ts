import type { PlannedFault } from './faults.ts'

/** The plan of the short run: one fault of each important kind, within seconds. */
export const shortPlan: readonly PlannedFault[] = [
  { atMs: 3_000, fault: { type: 'kill', place: 'worker-1', forMs: 0 } },
  { atMs: 5_000, fault: { type: 'cut', places: ['worker-2', 'submitter-1', 'client-1'], engine: 'cassandra', forMs: 0 } },
  { atMs: 6_000, fault: { type: 'kill', place: 'submitter-2', forMs: 500 } },
  { atMs: 8_000, fault: { type: 'outage', engine: 'rabbitmq', node: 0, forMs: 0 } },
  { atMs: 9_000, fault: { type: 'kill', place: 'worker-3', forMs: 1_000 } },
  { atMs: 14_000, fault: { type: 'cut', places: ['worker-4', 'submitter-2', 'client-2'], engine: 'rabbitmq', forMs: 0 } },
]
