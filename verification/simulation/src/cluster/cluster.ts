import type { Cut, Fault } from '../plan/faults.ts'
import { SimulatedNode } from './node.ts'
import type { World } from '../world/world.ts'

/** After how long a broker gives up on a silent process, in milliseconds: three heartbeats of RabbitMQ, by default. */
export const heartbeatMs = 15_000

/** How long a shutdown may take before the process is killed, in milliseconds. */
const shutdownMs = 45_000

/** The nodes and their faults. */
export class SimulatedCluster {
  /** Every incarnation so far. */
  readonly nodes: SimulatedNode[] = []
  readonly #world: World
  readonly #current = new Map<string, SimulatedNode>()
  readonly #skews = new Map<string, number>()
  /** How many faults and restarts are still to come, or under way. */
  #ahead = 0

  constructor(world: World) {
    this.#world = world
    for (const fault of world.plan.faults) if (fault.type === 'skew' && fault.atMs === 0) this.#skews.set(fault.node, fault.skewMs)
    for (const [name, atMs] of Object.entries(world.plan.starts)) this.#later(atMs, () => this.#start(name))
    for (const fault of world.plan.faults) this.#stage(fault)
  }

  /** Whether every fault is over and every node runs. */
  get isWhole(): boolean {
    return this.#ahead === 0 && Object.keys(this.#world.plan.starts).every((name) => this.#current.get(name)?.manager !== undefined)
  }

  named(name: string): SimulatedNode | undefined {
    return this.#current.get(name)
  }

  /** The latest incarnation of each node. */
  get current(): readonly SimulatedNode[] {
    return [...this.#current.values()]
  }

  #start(name: string): void {
    // A crash may have hit a call that was still under way at the end.
    if (this.#world.isClosing) return
    const incarnation = this.nodes.filter((node) => node.name === name).length
    this.#world.trace(name, 'starts')
    const node = new SimulatedNode(this.#world, name, incarnation, this.#skews.get(name) ?? 0, (_, restartAfterMs) =>
      this.#later(restartAfterMs, () => this.#start(name)),
    )
    this.nodes.push(node)
    this.#current.set(name, node)
    // A cut also affects a node that starts during it.
    if (this.#world.cutBetween(name, 'queue') !== undefined) node.disconnect()
    else if (this.#world.cutBetween(name, 'bus') !== undefined) node.deafen(true)
  }

  #later(ms: number, act: () => void): void {
    this.#ahead++
    this.#world.time.schedule(ms, () => {
      this.#ahead--
      act()
    })
  }

  #stage(fault: Fault): void {
    if (fault.type === 'call') return
    this.#later(fault.atMs, () => {
      this.#world.strike(fault, 'forMs' in fault ? fault.forMs : 0)
      if (fault.type === 'cut') return this.#cut(fault)
      const node = this.#current.get(fault.node)
      if (fault.type === 'skew') {
        this.#skews.set(fault.node, fault.skewMs)
        this.#world.noteSkew(fault.node, fault.skewMs)
        if (node !== undefined) node.process.skewMs = fault.skewMs
        return
      }
      if (node === undefined || node.process.isDead) return
      const { forMs } = fault
      switch (fault.type) {
        case 'crash':
          node.kill()
          return this.#later(forMs, () => this.#start(fault.node))
        case 'shutdown':
          return this.#shutDown(node, forMs)
        case 'freeze':
        case 'suspend':
          node.freeze(fault.type === 'suspend')
          if (forMs > heartbeatMs) this.#later(heartbeatMs, () => node.disconnect())
          return this.#later(forMs, () => {
            node.thaw()
            if (this.#world.cutBetween(fault.node, 'queue') === undefined) void node.reconnect()
          })
        case 'deaf':
          node.deafen(true)
          return this.#later(forMs, () => {
            node.deafen(false)
            if (fault.isTold) node.gap()
          })
        default:
          node.disconnect()
          return this.#later(forMs, () => {
            if (this.#world.cutBetween(fault.node, 'queue') === undefined) void node.reconnect()
          })
      }
    })
  }

  #shutDown(node: SimulatedNode, forMs: number): void {
    let isOver = false
    this.#ahead++
    const end = (): void => {
      if (isOver) return
      isOver = true
      this.#ahead--
      // If the node crashed meanwhile, the crash restarts it.
      if (node.process.isDead) return
      node.kill()
      this.#later(forMs, () => this.#start(node.name))
    }
    node.process.step(() => void node.shutDown().then(end))
    this.#world.time.schedule(shutdownMs, end)
  }

  #cut(cut: Cut): void {
    this.#world.trace(cut.node ?? '*', `✂ cut from ${cut.engines.join(', ')} (${cut.mode})`)
    this.#world.cut(cut)
    const affected = (): readonly SimulatedNode[] => this.current.filter(({ name }) => cut.node === undefined || cut.node === name)
    for (const node of affected()) {
      if (cut.engines.includes('queue')) node.disconnect()
      else if (cut.engines.includes('bus')) node.deafen(true)
    }
    this.#later(cut.forMs, () => {
      this.#world.trace(cut.node ?? '*', `✂ healed: ${cut.engines.join(', ')}`)
      this.#world.heal(cut)
      for (const node of affected()) {
        if (cut.engines.includes('queue') && this.#world.cutBetween(node.name, 'queue') === undefined) void node.reconnect()
        else if (cut.engines.includes('bus')) {
          node.deafen(false)
          node.gap()
        }
      }
    })
  }
}
