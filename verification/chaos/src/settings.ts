/** The settings of a run. Times are in milliseconds. */
export interface ChaosSettings {
  readonly seed: number
  /** For how long faults are injected. */
  readonly forMs: number
  readonly lease: { readonly renewMs: number; readonly ttlMs: number }
  readonly janitor: { readonly intervalMs: number; readonly overdueMs: number }
  /** How many tasks each submitter submits in a second. */
  readonly tasksPerSecond: number
  readonly maxBodyMs: number
  /** How long the system may take to come to rest after the faults. */
  readonly settleMs: number
  /** Where the evidence goes. */
  readonly folder: string
}

type Pace = Omit<ChaosSettings, 'seed' | 'forMs' | 'folder'>

/** The defaults of nodes. */
export const usualPace: Pace = {
  lease: { renewMs: 5_000, ttlMs: 15_000 },
  janitor: { intervalMs: 5_000, overdueMs: 10_000 },
  tasksPerSecond: 3,
  maxBodyMs: 24_000,
  settleMs: 180_000,
}

/** Short leases: as much happens in seconds as otherwise in a minute. */
export const quickPace: Pace = {
  lease: { renewMs: 1_000, ttlMs: 4_000 },
  janitor: { intervalMs: 1_000, overdueMs: 3_000 },
  tasksPerSecond: 5,
  maxBodyMs: 6_000,
  settleMs: 60_000,
}
