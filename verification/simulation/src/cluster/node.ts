import type { Logger, TaskManager } from '@taskledger/core'
import { createTaskManager } from '@taskledger/core'
import { interceptedMessaging, interceptedStorage, NodeProcess } from '@taskledger/test-kit/faults'
import type { BodyNode, BodyRun } from './bodies.ts'
import { tasksOf } from './bodies.ts'
import { Connection } from '../world/connection.ts'
import { Network } from '../world/network.ts'
import { frontEnd, serialQueue } from '../plan/plan.ts'
import type { World } from '../world/world.ts'

/** How the log lines begin that tell of nodes which share only storage or only messaging. */
const tellsApart = ['received no notices of live nodes', 'received notices of nodes that the node registry does not have']

/** One incarnation of a node: a process, and the manager in it. */
export class SimulatedNode implements BodyNode {
  readonly name: string
  readonly world: World
  readonly process: NodeProcess
  readonly runs: BodyRun[] = []
  readonly tasks: ReturnType<typeof tasksOf>
  /** When it was frozen, in milliseconds since the start. */
  readonly frozen: { readonly from: number; until: number; readonly isSuspended: boolean }[] = []
  /** False if its start failed, which ends the process. */
  couldStart = true
  readonly #connection: Connection
  readonly #onCrash: (node: SimulatedNode, restartAfterMs: number) => void
  #manager: TaskManager | undefined
  #isClosing = false

  constructor(
    world: World,
    name: string,
    incarnation: number,
    skewMs: number,
    onCrash: (node: SimulatedNode, restartAfterMs: number) => void,
  ) {
    this.world = world
    this.name = name
    this.#onCrash = onCrash
    this.process = new NodeProcess(world.time, skewMs)
    this.tasks = tasksOf(this)
    const purpose = `${name}${incarnation}`
    const network = new Network(
      world,
      {
        name,
        process: this.process,
        crash: (restartAfterMs) => this.#crash(restartAfterMs),
      },
      purpose,
    )
    this.#connection = new Connection(network)
    const log =
      (level: string) =>
      (fields: object, message: string): void => {
        if (tellsApart.some((part) => message.startsWith(part)))
          world.apart.push({ by: name, nodes: (fields as { readonly nodes: readonly string[] }).nodes, atMs: world.time.elapsed() })
        if (world.traced !== undefined) world.trace(name, `${level}: ${message} ${detailsIn(fields)}`)
      }
    const quiet = (): void => {}
    const logger: Logger = { debug: quiet, info: world.traced === undefined ? quiet : log('info'), warn: log('warn'), error: log('error') }
    createTaskManager({
      name,
      tasks: Object.values(this.tasks),
      storage: interceptedStorage(world.engineOf(name, 'storage').storage(), network.intercept),
      messaging: interceptedMessaging(this.#connection.messaging(), network.intercept),
      clock: this.process,
      random: world.random(`node ${purpose}`),
      logger,
      worker:
        name === frontEnd
          ? false
          : { queues: { default: { slots: 2 }, [serialQueue]: { slots: 1, mode: 'serial' } }, cancelGraceMs: 3_000, drainMs: 2_000 },
    }).then(
      (manager) => (this.#manager = manager),
      // A start that fails ends the process, which then starts again.
      (error: unknown) => {
        world.trace(name, `could not start: ${String(error)}`)
        if (this.process.isDead) return
        this.couldStart = false
        this.kill()
        onCrash(this, 1_000)
      },
    )
  }

  /** The manager, while clients can call it. */
  get manager(): TaskManager | undefined {
    return this.process.isDead || this.#isClosing ? undefined : this.#manager
  }

  get isGone(): boolean {
    return this.process.isDead || this.#isClosing
  }

  kill(): void {
    if (this.process.isDead) return
    this.world.trace(this.name, '✖ the process dies')
    this.process.kill()
    this.#connection.break()
    for (const run of this.runs)
      if (run.how === 'runs') {
        run.how = 'died'
        run.endedAt = this.world.time.elapsed()
      }
    const frozen = this.frozen.at(-1)
    if (frozen?.until === Infinity) frozen.until = this.world.time.elapsed()
  }

  #crash(restartAfterMs: number): void {
    if (this.process.isDead) return
    this.kill()
    this.#onCrash(this, restartAfterMs)
  }

  crash(restartAfterMs: number): void {
    this.world.strike({ type: 'crash', node: this.name, atMs: this.world.time.elapsed(), forMs: restartAfterMs }, restartAfterMs)
    this.#crash(restartAfterMs)
  }

  block(forMs: number): Promise<void> {
    this.world.strike({ type: 'freeze', node: this.name, atMs: this.world.time.elapsed(), forMs }, forMs)
    this.freeze(false)
    return new Promise((resolve) => {
      this.world.time.schedule(forMs, () => {
        this.thaw()
        this.process.step(resolve)
      })
    })
  }

  freeze(isSuspended: boolean): void {
    if (this.process.isDead || this.process.isFrozen) return
    this.world.trace(this.name, isSuspended ? '■ is suspended' : '■ freezes')
    if (isSuspended) this.process.suspend()
    else this.process.freeze()
    this.frozen.push({ from: this.world.time.elapsed(), until: Infinity, isSuspended })
  }

  thaw(): void {
    const frozen = this.frozen.at(-1)
    if (!this.process.isFrozen || frozen === undefined) return
    this.world.trace(this.name, '□ wakes')
    frozen.until = this.world.time.elapsed()
    this.process.thaw()
  }

  /** Closes the manager, then the process ends. */
  async shutDown(drainMs?: number): Promise<void> {
    const manager = this.#manager
    if (this.process.isDead || this.#isClosing) return
    this.#isClosing = true
    this.world.trace(this.name, 'shuts down')
    await manager?.close(drainMs === undefined ? {} : { drainMs })
  }

  deafen(isDeaf: boolean): void {
    this.#connection.isDeaf = isDeaf
  }

  gap(): void {
    this.#connection.gap()
  }

  disconnect(): void {
    this.#connection.break()
  }

  reconnect(): Promise<void> {
    return this.#connection.restore()
  }
}

const detailsIn = (fields: object): string =>
  JSON.stringify(fields, (key, value: unknown) =>
    value instanceof Error ? value.message : key === 'taskId' ? String(value).slice(-8) : value,
  )
