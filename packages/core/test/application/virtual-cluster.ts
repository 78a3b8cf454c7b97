import type { TaskHandle } from '@taskledger/core'
import { silentLogger } from '@taskledger/core'
import type { TaskDetails, TaskEvent, TaskId, TaskMessaging, TaskStorage } from '@taskledger/core/ports'
import type { VirtualClock } from '@taskledger/core/testing'
import { checkHistory, seededRandom, virtualClock } from '@taskledger/core/testing'
import type { Memory } from '@taskledger/memory'
import { createMemory } from '@taskledger/memory'
import type { ClusterNode, HeldOptions, HeldRun, HeldTask, NodeOptions } from '@taskledger/test-kit/faults'
import { Cluster } from '@taskledger/test-kit/faults'

const names = ['a', 'b', 'c', 'd', 'e']

/** How far time passes between two looks at a condition, in milliseconds. */
const stepMs = 100

interface VirtualNodeOptions extends Partial<NodeOptions> {
  /** The held task that the node runs. */
  readonly held?: HeldOptions
  /** Engines of its own: the node shares the others with the cluster. */
  readonly own?: { readonly storage?: Memory; readonly messaging?: Memory } | undefined
}

/** A cluster in memory and on virtual time. */
export class VirtualCluster extends Cluster implements AsyncDisposable {
  readonly clock: VirtualClock
  readonly memory: Memory
  /** A storage client that belongs to no node. */
  readonly storage: TaskStorage
  readonly #brokers = new Map<TaskMessaging, Memory>()
  #opened = 0
  /** The engines of the node that is opened now. */
  #own: VirtualNodeOptions['own']

  constructor() {
    const clock = virtualClock()
    const memory = createMemory({ clock, logger: silentLogger })
    super({
      clock,
      open: async () => {
        const storage = (this.#own?.storage ?? memory).storage()
        const broker = this.#own?.messaging ?? memory
        const messaging = broker.messaging()
        this.#brokers.set(messaging, broker)
        return { storage, messaging, close: async () => void (await Promise.all([storage.close(), messaging.close()])) }
      },
      disconnect: ({ messaging }) => this.#brokers.get(messaging)?.faults.kill(messaging),
      waiting: {
        waitUntil: async (sentence, condition) => void (await this.until(sentence, condition)),
        within: async (sentence, promise) => {
          let isSettled = false
          const settled = promise.finally(() => (isSettled = true))
          settled.catch(() => {})
          await this.until(sentence, () => isSettled, 120_000)
          return settled
        },
      },
    })
    this.clock = clock
    this.memory = memory
    this.storage = memory.storage()
  }

  /** Opens a node that runs a held task, unless `tasks` says otherwise. */
  override async node({ held, own, ...options }: VirtualNodeOptions = {}): Promise<ClusterNode> {
    const name = names[this.#opened++] ?? 'node'
    const defaults = { tasks: [this.held(held).task], worker: { drainMs: 0, cancelGraceMs: 1_000 }, name, random: seededRandom(1, name) }
    this.#own = own
    const node = super.node({ ...defaults, ...options })
    this.#own = undefined
    await this.advance(0)
    return node
  }

  /** Empty engines with the time of this cluster, for a node that is connected elsewhere. */
  otherMemory(): Memory {
    return createMemory({ clock: this.clock, logger: silentLogger })
  }

  /** Lets time pass. */
  advance(ms: number): Promise<void> {
    return this.clock.advance(ms)
  }

  /** Lets time pass until the condition holds, and returns how long that took. */
  override async until(sentence: string, condition: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<number> {
    for (let passedMs = 0; ; passedMs += stepMs) {
      if (await condition()) return passedMs
      if (passedMs >= withinMs) throw new Error(`timed out after ${withinMs} ms waiting until ${sentence}`)
      await this.advance(stepMs)
    }
  }

  /** Submits a held task, which has to run at once. */
  override async start(
    { manager }: ClusterNode,
    held: HeldTask = this.held(),
    payload: unknown = null,
  ): Promise<[TaskHandle<unknown, unknown>, HeldRun]> {
    const handle = await manager.submit(held.task, payload)
    await this.advance(0)
    return [handle, this.run(handle)]
  }

  /** The latest run of a held task. */
  run(task: { readonly id: TaskId }, attempt?: number): HeldRun {
    const run = this.find(task, attempt)
    if (run === undefined) throw new Error(`task ${task.id} does not run`)
    return run
  }

  /** Waits until an attempt of a held task runs, and returns how long that took. */
  untilRunning(task: { readonly id: TaskId }, attempt: number, withinMs?: number): Promise<number> {
    return this.until(`attempt ${attempt} of task ${task.id} runs`, () => this.find(task, attempt) !== undefined, withinMs)
  }

  /** The types of the events of a task, without `Task`. */
  async eventTypes(task: { readonly id: TaskId }): Promise<readonly string[]> {
    return (await this.history(task)).map(({ type }) => type.replace('Task', ''))
  }

  override async history({ id }: { readonly id: TaskId }): Promise<readonly TaskEvent[]> {
    return this.storage.events.read(id)
  }

  /** The row of a task in the listing. */
  async row({ id }: { readonly id: TaskId }): Promise<TaskDetails | undefined> {
    const { tasks } = await this.storage.listing.list({}, { limit: 1_000 })
    return tasks.find(({ taskId }) => taskId === id)
  }

  /** How many messages a queue holds that no node has taken. */
  depth(queue = 'default'): number {
    const { waiting = 0, delayed = 0 } = this.memory.inspect().queues[queue] ?? {}
    return waiting + delayed
  }

  /** Loses the messages that wait in a queue, as a broker does whose disk is lost. Returns how many there were. */
  async loseMessages(queue = 'default'): Promise<number> {
    const messaging = this.memory.messaging()
    let lost = 0
    const consumer = await messaging.queue.consume(
      queue,
      async (delivery) => {
        lost++
        await delivery.accept()
      },
      { slots: 1_000, mode: 'parallel' },
    )
    await this.advance(0)
    await consumer.close()
    await messaging.close()
    return lost
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
    for await (const taskId of this.storage.events.histories()) {
      // A test may have spoiled the history.
      const events = await this.storage.events.read(taskId).catch(() => [])
      const violations = checkHistory(events)
      if (violations.length > 0) throw new Error(`the history of task ${taskId}: ${JSON.stringify(violations)}`)
    }
  }
}
