import { setTimeout as sleep } from 'node:timers/promises'
import type { Cast } from './cast.ts'
import type { FaultLine } from './evidence.ts'
import type { Ground } from './ground.ts'
import type { Engine, EngineFault, Fault, QueueDeleted } from './plan.ts'
import { inWords } from './plan.ts'

/** The adapter's name of the queue that carries most tasks. */
const workQueue = 'taskledger.work.default'

/** Carries faults out, and takes each back after its time, or as soon as all is over. */
export class Striker {
  readonly #ground: Ground
  readonly #cast: Cast
  readonly #note: (line: FaultLine) => void
  readonly #say: (line: string) => void
  readonly #over = new AbortController()
  readonly #underWay = new Set<Promise<void>>()
  /** What is done to an engine waits for what was done to it before. */
  readonly #engines: Record<Engine, Promise<void>> = { cassandra: Promise.resolve(), rabbitmq: Promise.resolve() }

  constructor(ground: Ground, cast: Cast, note: (line: FaultLine) => void, say: (line: string) => void) {
    this.#ground = ground
    this.#cast = cast
    this.#note = note
    this.#say = say
  }

  strike(fault: Fault): void {
    const at = Date.now()
    this.#say(inWords(fault))
    const striking = this.#carryOut(fault)
      .then(
        () => this.#note({ type: 'struck', fault: inWords(fault), at, until: Date.now() }),
        (error: unknown) => this.#note({ type: 'struck', fault: inWords(fault), at, until: Date.now(), failure: String(error) }),
      )
      .finally(() => this.#underWay.delete(striking))
    this.#underWay.add(striking)
  }

  /** Takes everything back. Resolves when all is as it should be. */
  async calm(): Promise<void> {
    this.#over.abort()
    await Promise.all(this.#underWay)
  }

  /** Takes everything back. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.calm()
  }

  async #carryOut(fault: Fault): Promise<void> {
    switch (fault.type) {
      case 'kill':
      case 'stop':
        return this.#cast.end(fault.place, fault.type, fault.forMs)
      case 'freeze': {
        const child = this.#cast.at(fault.place)
        if (child === undefined) return
        const from = Date.now()
        child.freeze()
        await this.#last(fault.forMs)
        const until = Date.now()
        child.thaw()
        this.#note({ type: 'frozen', process: child.name, at: from, until })
        return
      }
      case 'cut':
        await Promise.all(fault.places.map((place) => this.#ground.proxyOf(place, fault.engine).faults.cut()))
        return
      case 'stall':
      case 'loseReplies':
      case 'refuse': {
        const restores = await Promise.all(fault.places.map((place) => this.#ground.proxyOf(place, fault.engine).faults[fault.type]()))
        await this.#last(fault.forMs)
        await Promise.all(restores.map((restore) => restore()))
        return
      }
      case 'outage':
      case 'pause':
      case 'deleteQueue':
        this.#engines[fault.engine] = this.#engines[fault.engine].catch(() => {}).then(() => this.#harm(fault))
        return this.#engines[fault.engine]
    }
  }

  async #harm(fault: EngineFault | QueueDeleted): Promise<void> {
    const { cassandra, rabbitmq } = this.#ground
    const engine = fault.engine === 'cassandra' ? cassandra[fault.node] : rabbitmq
    if (engine === undefined) throw new Error(`there is no node ${fault.node} of ${fault.engine}`)
    switch (fault.type) {
      case 'pause':
        engine.pause()
        await this.#last(fault.forMs)
        return engine.resume()
      case 'outage':
        // RabbitMQ 3.10 forgets where the data of a new queue are if it is killed within two seconds.
        if (fault.engine === 'rabbitmq') await rabbitmq.flush()
        await engine.kill()
        await this.#last(fault.forMs)
        return engine.start()
      default:
        await rabbitmq.ctl('delete_queue', workQueue)
    }
  }

  #last(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.#over.signal }).catch(() => {})
  }
}
