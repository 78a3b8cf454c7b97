import type { Logger, TaskHandle, TaskManager, TaskManagerOptions } from '@taskledger/core'
import { createTaskManager, defineTask, TaskledgerError, unchecked } from '@taskledger/core'
import type { CancelSchedule, Clock, TaskMessaging, TaskNotice, TaskStorage, TaskDetails, TaskEvent, TaskId } from '@taskledger/core/ports'
import { outcomeUnknown, sleepOn } from '@taskledger/core/ports'
import { checkHistory, virtualClock } from '@taskledger/core/testing'
import type { VirtualClock } from '@taskledger/core/testing'
import type { Memory } from '@taskledger/memory'
import { createMemory } from '@taskledger/memory'
import { silentLogger } from '@taskledger/core'

/** A body that runs until the test ends it. */
export interface HeldBody {
  readonly taskId: TaskId
  readonly attempt: number
  readonly node: string
  readonly signal: AbortSignal
  progress(value: unknown): void
  return(value?: unknown): void
  throw(error: Error): void
}

export interface Logged {
  readonly level: keyof Logger
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A node, and what can befall its process. */
export interface StagedNode {
  readonly manager: TaskManager
  readonly id: string
  readonly logged: readonly Logged[]
  /** The calls that left the process, by name. */
  readonly calls: readonly string[]
  /** Which calls fail, by name: `storage.nodes.renew`. */
  fails: (call: string) => boolean
  /** Which calls happen, and cannot tell. */
  losesAnswer: (call: string) => boolean
  /** How long calls take before they happen, in milliseconds. */
  delays: (call: string) => number
  /** Which notices it does not hear. */
  isDeafTo: (notice: TaskNotice) => boolean
  readonly messaging: TaskMessaging
  /** What its queues say of their depth, whatever is true. */
  depth: number | undefined
  /** As by SIGKILL. */
  kill(): void
  /** As by SIGSTOP: no timer fires. */
  freeze(): void
  /** As by SIGCONT: what fell due meanwhile fires now. */
  thaw(): void
}

type NodeOptions = Partial<Omit<TaskManagerOptions, 'storage' | 'messaging' | 'clock' | 'logger'>>

const names = ['a', 'b', 'c', 'd', 'e']

/** A cluster on one memory and virtual time. */
export class Stage implements AsyncDisposable {
  readonly clock: VirtualClock = virtualClock()
  readonly memory: Memory = createMemory({ clock: this.clock, logger: silentLogger })
  readonly bodies: HeldBody[] = []
  readonly #nodes: (StagedNode & { readonly isDead: boolean })[] = []
  readonly #storage: TaskStorage = this.memory.storage()

  /** A task whose bodies are held. What it is given as payload changes nothing. */
  held(node: string, options: Partial<Parameters<typeof defineTask>[0]> & { readonly heeds?: boolean } = {}) {
    const { heeds = true, ...rest } = options
    return defineTask({
      type: 'held',
      ...rest,
      payload: unchecked<unknown>(),
      run: ({ taskId, attempt, signal, progress }) =>
        new Promise<unknown>((resolve, reject) => {
          this.bodies.push({ taskId, attempt, node, signal, progress, return: resolve, throw: reject })
          if (heeds) signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
        }),
    })
  }

  async node(
    options: NodeOptions & { readonly held?: Parameters<Stage['held']>[1] } = {},
    fails: StagedNode['fails'] = () => false,
  ): Promise<StagedNode> {
    const { held, ...rest } = options
    const name = names[this.#nodes.length] ?? 'node'
    const logged: Logged[] = []
    const calls: string[] = []
    const process = new FakeProcess(this.clock)
    const gate: Gate = {
      isDead: () => process.isDead,
      sleep: (ms) => process.sleep(ms),
      async enter(call) {
        calls.push(call)
        const delayMs = node.delays(call)
        if (delayMs > 0) await this.sleep(delayMs)
        if (node.fails(call)) throw new TaskledgerError('UNAVAILABLE', `${call} is made to fail`)
      },
      leave(call) {
        if (node.losesAnswer(call)) throw outcomeUnknown(call)
      },
    }
    const messaging = this.memory.messaging()
    const bus: TaskMessaging['bus'] = gated(messaging.bus, 'messaging.bus', gate)
    const queue: TaskMessaging['queue'] = gated(messaging.queue, 'messaging.queue', gate)
    const heard: TaskMessaging = {
      queue: new Proxy(queue, {
        get: (target, key) =>
          key === 'depth' && node.depth !== undefined ? async () => node.depth : (Reflect.get(target, key) as unknown),
      }),
      bus: new Proxy(bus, {
        get: (target, key) =>
          key === 'subscribe'
            ? (listener: (notice: TaskNotice) => void) =>
                messaging.bus.subscribe((notice) => (node.isDeafTo(notice) ? undefined : listener(notice)))
            : (Reflect.get(target, key) as unknown),
      }),
      close: () => messaging.close(),
    }
    const log =
      (level: keyof Logger) =>
      (fields: object, message: string): void =>
        void logged.push({ level, message, fields: fields as Logged['fields'] })
    const storage = this.memory.storage()
    const node: StagedNode & { manager: TaskManager; readonly isDead: boolean } = {
      manager: undefined as unknown as TaskManager,
      get id() {
        return this.manager.nodeId
      },
      get isDead() {
        return process.isDead
      },
      logged,
      calls,
      messaging,
      depth: undefined,
      fails,
      losesAnswer: () => false,
      delays: () => 0,
      isDeafTo: () => false,
      kill: () => {
        process.isDead = true
        this.memory.faults.kill(messaging)
      },
      freeze: () => process.freeze(),
      thaw: () => process.thaw(),
    }
    const manager = createTaskManager({
      tasks: [this.held(name, held)],
      worker: { drainMs: 0, cancelGraceMs: 1_000 },
      ...rest,
      name,
      clock: process,
      logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
      storage: {
        events: gated(storage.events, 'storage.events', gate),
        listing: gated(storage.listing, 'storage.listing', gate, calls),
        nodes: gated(storage.nodes, 'storage.nodes', gate),
        close: () => storage.close(),
      },
      messaging: heard,
    })
    await this.advance(0)
    node.manager = await manager
    this.#nodes.push(node)
    return node
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms)
  }

  /** Lets time pass until the condition holds, in steps of 100 ms, and says how long it took. */
  async until(what: string, condition: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<number> {
    for (let passed = 0; ; passed += 100) {
      if (await condition()) return passed
      if (passed >= withinMs) throw new Error(`after ${withinMs} ms: ${what}`)
      await this.advance(100)
    }
  }

  /** Submits a held task and waits until its body runs. */
  async start(node: StagedNode, payload: unknown = null): Promise<[TaskHandle<unknown, unknown>, HeldBody]> {
    const handle: TaskHandle<unknown, unknown> = await node.manager.submit(this.held(''), payload)
    await this.advance(0)
    return [handle, this.body(handle)]
  }

  /** The body of that task that began last. */
  body({ id }: { readonly id: TaskId }, attempt?: number): HeldBody {
    const body = this.find({ id }, attempt)
    if (body === undefined) throw new Error(`no body of task ${id} runs`)
    return body
  }

  find({ id }: { readonly id: TaskId }, attempt?: number): HeldBody | undefined {
    return this.bodies.findLast((body) => body.taskId === id && (attempt === undefined || body.attempt === attempt))
  }

  /** Waits until an attempt of a task runs, and says how long it took. */
  runs(handle: { readonly id: TaskId }, attempt: number, withinMs?: number): Promise<number> {
    return this.until(`attempt ${attempt} of task ${handle.id} does not run`, () => this.find(handle, attempt) !== undefined, withinMs)
  }

  async history({ id }: { readonly id: TaskId }): Promise<readonly TaskEvent[]> {
    return this.#storage.events.read(id)
  }

  async told(handle: { readonly id: TaskId }): Promise<readonly string[]> {
    return (await this.history(handle)).map(({ type }) => type.replace('Task', ''))
  }

  /** The row of a task, as anybody lists it. */
  async row({ id }: { readonly id: TaskId }): Promise<TaskDetails | undefined> {
    const { tasks } = await this.#storage.listing.list({}, { limit: 1_000 })
    return tasks.find(({ taskId }) => taskId === id)
  }

  /** A storage client that belongs to no node. */
  get storage(): TaskStorage {
    return this.#storage
  }

  depth(queue = 'default'): number {
    const { waiting = 0, delayed = 0 } = this.memory.inspect().queues[queue] ?? {}
    return waiting + delayed
  }

  /** Throws away what waits in a queue, as a broker does whose disk is lost. */
  async loseMessages(queue = 'default'): Promise<number> {
    const thief = this.memory.messaging()
    let lost = 0
    const consumer = await thief.queue.consume(
      queue,
      async (delivery) => {
        lost++
        await delivery.accept()
      },
      { slots: 1_000, mode: 'parallel' },
    )
    await this.advance(0)
    await consumer.close()
    await thief.close()
    return lost
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) {
      node.fails = () => false
      node.delays = () => 0
      node.thaw()
    }
    const closed = Promise.all(this.#nodes.filter(({ isDead }) => !isDead).map(({ manager }) => manager.close({ drainMs: 0 })))
    for (const body of this.bodies) body.throw(new Error('the test is over'))
    await this.advance(120_000)
    await closed
    for await (const taskId of this.#storage.events.histories()) {
      const events = await this.#storage.events.read(taskId).catch(() => undefined)
      const violations = events === undefined ? [] : checkHistory(events)
      if (violations.length > 0) throw new Error(`the history of task ${taskId}: ${JSON.stringify(violations)}`)
    }
  }
}

interface Gate {
  isDead(): boolean
  enter(call: string): Promise<void>
  leave(call: string): void
  sleep(ms: number): Promise<void>
}

const never = <T>(): Promise<T> => new Promise<T>(() => {})

/** The port, behind a gate: what a dead process calls never happens and never answers. */
const gated = <Port extends object>(port: Port, name: string, gate: Gate, calls?: string[]): Port =>
  new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key)
      if (typeof value !== 'function') return value
      const method = value.bind(target) as (...given: readonly unknown[]) => unknown
      if (key === 'subscribe' || key === 'onGap') return method
      if (key === 'close') return (): unknown => (gate.isDead() ? never() : method())
      const call = `${name}.${String(key)}`
      if (key === 'unfinished' || key === 'histories')
        return async function* (...given: readonly unknown[]): AsyncGenerator {
          if (gate.isDead()) await never()
          await gate.enter(call)
          for await (const item of method(...given) as AsyncIterable<unknown>) {
            if (gate.isDead()) await never()
            calls?.push(`${call} row`)
            yield item
          }
        }
      return async (...given: readonly unknown[]): Promise<unknown> => {
        if (gate.isDead()) return never()
        await gate.enter(call)
        const answer = await method(...given)
        gate.leave(call)
        return gate.isDead() ? never() : answer
      }
    },
  })

/** The time of one process: it stops with it. */
class FakeProcess implements Clock {
  isDead = false
  #isFrozen = false
  readonly #clock: VirtualClock
  readonly #missed: (() => void)[] = []
  readonly sleep: Clock['sleep']

  constructor(clock: VirtualClock) {
    this.#clock = clock
    this.sleep = sleepOn((ms, callback) => this.schedule(ms, callback))
  }

  now(): number {
    return this.#clock.now()
  }

  elapsed(): number {
    return this.#clock.elapsed()
  }

  schedule(ms: number, callback: () => void): CancelSchedule {
    let isCancelled = false
    const fire = (): void => {
      if (isCancelled || this.isDead) return
      if (this.#isFrozen) this.#missed.push(fire)
      else callback()
    }
    const cancel = this.#clock.schedule(ms, fire)
    return () => {
      isCancelled = true
      cancel()
    }
  }

  freeze(): void {
    this.#isFrozen = true
  }

  thaw(): void {
    this.#isFrozen = false
    for (const fire of this.#missed.splice(0)) fire()
  }
}
