import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultLine } from '../evidence/lines.ts'
import type { DeleteQueue, EngineFault, Fault } from '../plan/faults.ts'
import { describeFault } from '../plan/faults.ts'
import type { Engine } from '../plan/places.ts'
import type { Environment } from './environment.ts'
import type { ProcessPool } from './process-pool.ts'

/** The adapter's name of the queue that carries most tasks. */
const workQueue = 'taskledger.work.default'

export interface FaultInjectorParts {
  readonly environment: Environment
  readonly processes: ProcessPool
  readonly note: (line: FaultLine) => void
  readonly say: (line: string) => void
}

/** Injects faults, and heals each after its time, or as soon as the faults are over. */
export class FaultInjector {
  readonly #parts: FaultInjectorParts
  readonly #over = new AbortController()
  readonly #active = new Set<Promise<void>>()
  /** The faults of an engine follow one another. */
  readonly #engines: Record<Engine, Promise<void>> = { cassandra: Promise.resolve(), rabbitmq: Promise.resolve() }

  constructor(parts: FaultInjectorParts) {
    this.#parts = parts
  }

  injectFault(fault: Fault): void {
    const { note, say } = this.#parts
    const at = Date.now()
    say(describeFault(fault))
    const noted = (failure: object): void => note({ type: 'injected', fault: describeFault(fault), at, until: Date.now(), ...failure })
    const injecting = this.#inject(fault)
      .then(
        () => noted({}),
        (error: unknown) => noted({ failure: String(error) }),
      )
      .finally(() => this.#active.delete(injecting))
    this.#active.add(injecting)
  }

  /** Heals every fault. Resolves once all engines and networks work. */
  async heal(): Promise<void> {
    this.#over.abort()
    await Promise.all(this.#active)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.heal()
  }

  async #inject(fault: Fault): Promise<void> {
    const { environment, processes, note } = this.#parts
    switch (fault.type) {
      case 'kill':
      case 'stop':
        return processes.end(fault.place, fault.type, fault.forMs)
      case 'freeze': {
        const child = processes.at(fault.place)
        if (child === undefined) return
        const at = Date.now()
        child.freeze()
        await this.#wait(fault.forMs)
        const until = Date.now()
        child.thaw()
        note({ type: 'frozen', process: child.name, at, until })
        return
      }
      case 'cut':
        await Promise.all(fault.places.map((place) => environment.proxyOf(place, fault.engine).faults.cut()))
        return
      case 'stall':
      case 'loseReplies':
      case 'refuse': {
        const heals = await Promise.all(fault.places.map((place) => environment.proxyOf(place, fault.engine).faults[fault.type]()))
        await this.#wait(fault.forMs)
        await Promise.all(heals.map((heal) => heal()))
        return
      }
      case 'outage':
      case 'pause':
      case 'deleteQueue':
        this.#engines[fault.engine] = this.#engines[fault.engine].catch(() => {}).then(() => this.#injectInto(fault))
        return this.#engines[fault.engine]
    }
  }

  async #injectInto(fault: EngineFault | DeleteQueue): Promise<void> {
    const { cassandra, rabbitmq } = this.#parts.environment
    const engine = fault.engine === 'cassandra' ? cassandra[fault.node] : rabbitmq
    if (engine === undefined) throw new Error(`${fault.engine} has no node ${fault.node}`)
    switch (fault.type) {
      case 'pause':
        engine.pause()
        await this.#wait(fault.forMs)
        return engine.resume()
      case 'outage':
        // RabbitMQ 3.10 loses a queue if it is killed within two seconds of the queue's declaration.
        if (fault.engine === 'rabbitmq') await rabbitmq.flush()
        await engine.kill()
        await this.#wait(fault.forMs)
        return engine.start()
      default:
        await rabbitmq.ctl('delete_queue', workQueue)
    }
  }

  /** Waits for the time of a fault, or until the faults are over. */
  #wait(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#over.signal }).catch(() => {})
  }
}
