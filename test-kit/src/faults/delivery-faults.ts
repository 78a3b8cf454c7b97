import type { Delivery, TaskId } from '@taskledger/core/ports'

/** The faults of the deliveries that are handed to one node. */
export class DeliveryFaults {
  /** Whether an accepted delivery is acknowledged only when its handler has ended. Until then the delivery may get lost. */
  acceptsAtEnd = false
  readonly #losable = new Set<() => void>()
  readonly #handedOver: TaskId[] = []

  /** The tasks whose messages were handed to this node, in order. */
  get handedOver(): readonly TaskId[] {
    return this.#handedOver
  }

  /**
   * As if the connection had broken: the engine delivers again what this node has not settled. The handlers go on, but their
   * settlements have no effect.
   */
  lose(): void {
    for (const lose of this.#losable) lose()
  }

  /** @internal */
  async handle(delivery: Delivery, handler: (delivery: Delivery) => Promise<void>): Promise<void> {
    const { message, redelivered, releases } = delivery
    this.#handedOver.push(message.taskId)
    let isLost = false
    let isAccepted = false
    let lose = (): void => {}
    const lost = new Promise<void>((resolve) => {
      lose = (): void => {
        isLost = true
        resolve()
      }
    })
    const unlessLost =
      <Given extends readonly unknown[]>(settle: (...given: Given) => Promise<void>) =>
      async (...given: Given): Promise<void> => {
        if (!isLost) await settle(...given)
      }
    const accept = async (): Promise<void> => {
      isAccepted = true
      if (!this.acceptsAtEnd) await delivery.accept()
    }
    this.#losable.add(lose)
    const handled = handler({
      message,
      redelivered,
      releases,
      accept: unlessLost(accept),
      release: unlessLost(delivery.release),
      reject: unlessLost(delivery.reject),
    })
    try {
      await Promise.race([handled, lost])
      if (isAccepted && !isLost && this.acceptsAtEnd) await delivery.accept()
    } finally {
      this.#losable.delete(lose)
    }
  }
}
