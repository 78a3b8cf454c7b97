import type { CancelSchedule } from '../ports/clock.ts'
import type { NodeInfo } from '../ports/node-registry.ts'
import type { NodeContext } from './node-context.ts'

/** How often a node renews itself, in milliseconds. */
const renewMs = 5_000

/** For how long a node counts as alive without renewing itself, in milliseconds. */
const ttlMs = 15_000

/** Shows this node among the live ones for as long as it is. */
export class Membership {
  readonly #node: NodeContext
  readonly #info: () => NodeInfo
  readonly #onRenewed: () => void
  #cancel: CancelSchedule | undefined
  #isLeaving = false
  #renewing: Promise<void> = Promise.resolve()

  constructor(node: NodeContext, info: () => NodeInfo, onRenewed: () => void) {
    this.#node = node
    this.#info = info
    this.#onRenewed = onRenewed
  }

  /** Shows the node at once. Joining again shows what has changed. */
  async join(): Promise<void> {
    await this.#renewing
    if (this.#isLeaving) return
    this.#renewing = this.#renew()
    await this.#renewing
    this.#schedule()
  }

  async leave(): Promise<void> {
    this.#isLeaving = true
    this.#cancel?.()
    try {
      await this.#renewing
      const { storage, deadlines, nodeId } = this.#node
      await deadlines.call(undefined, (signal) => storage.nodes.leave(nodeId, { signal }))
    } catch (error) {
      this.#node.logger.warn({ err: error }, 'the node could not take itself out of the registry; it vanishes by itself')
    }
  }

  #schedule(): void {
    if (this.#isLeaving) return
    // One of two: the node may have joined again meanwhile.
    this.#cancel?.()
    this.#cancel = this.#node.clock.schedule(renewMs, () => {
      this.#renewing = this.#renew().then(() => this.#schedule())
    })
  }

  async #renew(): Promise<void> {
    try {
      const { storage, deadlines } = this.#node
      await deadlines.call(undefined, (signal) => storage.nodes.renew(this.#info(), ttlMs, { signal }))
      this.#onRenewed()
    } catch (error) {
      this.#node.logger.warn({ err: error }, 'the node could not renew itself in the registry and tries again')
    }
  }
}
