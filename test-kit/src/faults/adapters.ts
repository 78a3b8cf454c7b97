import type { TaskMessaging, TaskStorage } from '@taskledger/core/ports'

/**
 * One client of a storage and a messaging: what one node of a cluster works on. `peer()` of a harness gives another one on the
 * same data.
 *
 * Where the harness has the hook `inject(bytes, where)`, `where` is `queue/<name>`, `bus`, or `history/<task id>`.
 */
export interface Adapters {
  readonly storage: TaskStorage
  readonly messaging: TaskMessaging
  /** Closes both. Closing twice is fine. */
  close(): Promise<void>
}
