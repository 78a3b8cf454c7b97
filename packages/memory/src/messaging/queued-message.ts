import type { WorkMessage } from '@taskledger/core/ports'

/** A message in a queue, with what earlier deliveries left on it. */
export interface QueuedMessage {
  /** The message, or text that no codec wrote, which a test put there. */
  readonly body: WorkMessage | string
  readonly redelivered: boolean
  readonly releases: number
}
