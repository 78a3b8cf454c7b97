import type { TaskMessaging, TaskStorage } from '@taskledger/core/ports'

/**
 * A client of a storage and a client of a messaging, as one node of a cluster has them. `peer()` of a harness opens another pair
 * on the same data.
 *
 * Where the harness has the hook `inject(bytes, where)`, `where` is `queue/<name>`, `bus`, or `history/<task id>`.
 */
export interface Adapters {
  readonly storage: TaskStorage
  readonly messaging: TaskMessaging
  /** Closes both. Closing twice is fine. */
  close(): Promise<void>
}
