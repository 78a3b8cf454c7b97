import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultLine } from '../evidence/lines.ts'
import type { Place, Role } from '../plan/places.ts'
import { places, roleOf } from '../plan/places.ts'
import { Random } from '../plan/random.ts'
import type { ChaosSettings } from '../settings.ts'
import { Child } from './child.ts'
import type { Environment } from './environment.ts'

/** How soon a process that could not start is replaced, in milliseconds. */
const restartMs = 1_000

/** How long a process may take to stop in order, in milliseconds. */
const stopMs = 40_000

/** How many of the acknowledged tasks are cancelled. */
const cancelledShare = 0.15

export interface ProcessPoolParts {
  readonly environment: Environment
  readonly settings: ChaosSettings
  readonly note: (line: FaultLine) => void
}

/** The processes of a run: one at each place, replaced when it ends. */
export class ProcessPool {
  readonly #parts: ProcessPoolParts
  readonly #random: Random
  readonly #present = new Map<Place, Child>()
  readonly #starts = new Map<Place, number>()
  /** How long after its end a process is replaced, where a fault said so. */
  readonly #replaceAfterMs = new WeakMap<Child, number>()
  #isOver = false
  #isSubmittingOver = false

  constructor(parts: ProcessPoolParts) {
    this.#parts = parts
    this.#random = new Random(parts.settings.seed, 'process pool')
    for (const place of places) this.#start(place, 0)
  }

  at(place: Place): Child | undefined {
    return this.#present.get(place)
  }

  /** Ends the process at a place. Another one replaces it after a while. */
  async end(place: Place, how: 'kill' | 'stop', replaceAfterMs: number): Promise<void> {
    const child = this.at(place)
    if (child === undefined) return
    this.#replaceAfterMs.set(child, replaceAfterMs)
    child[how]()
    const tooLong = setTimeout(() => child.kill(), stopMs)
    await child.ended
    clearTimeout(tooLong)
  }

  /** Nothing new is submitted from now on. */
  endSubmitting(): void {
    this.#isSubmittingOver = true
    for (const child of this.#of('submitter')) child.send({ type: 'endSubmitting' })
  }

  /** Whether no process waits for an answer. */
  get isIdle(): boolean {
    return [...this.#of('submitter'), ...this.#of('client')].every((child) => child.isIdle)
  }

  /** Whether every place has a process that is ready. */
  get isComplete(): boolean {
    return places.every((place) => this.at(place)?.isReady === true)
  }

  /** Stops all processes in order. */
  async close(): Promise<void> {
    this.#isOver = true
    await Promise.all([...this.#present.keys()].map((place) => this.end(place, 'stop', 0)))
  }

  /** Kills all processes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await Promise.all([...this.#present.keys()].map((place) => this.end(place, 'kill', 0)))
  }

  #of(role: Role): readonly Child[] {
    return places.filter((place) => roleOf(place) === role).flatMap((place) => this.at(place) ?? [])
  }

  #start(place: Place, afterMs: number): void {
    void sleep(afterMs).then(() => {
      if (this.#isOver) return
      const { environment, settings, note } = this.#parts
      const count = (this.#starts.get(place) ?? 0) + 1
      this.#starts.set(place, count)
      const options = { role: roleOf(place), process: `${place}.${count}`, engines: environment.addressesOf(place), settings }
      const child = new Child(options, (taskId) => this.#follow(taskId))
      this.#present.set(place, child)
      if (this.#isSubmittingOver) child.send({ type: 'endSubmitting' })
      void child.ended.then((ended) => {
        note(ended)
        this.#present.delete(place)
        this.#start(place, this.#replaceAfterMs.get(child) ?? restartMs)
      })
    })
  }

  /** A random client awaits the task, and may cancel it. */
  #follow(taskId: string): void {
    const clients = this.#of('client').filter((child) => child.isReady)
    if (clients.length === 0) return
    const isCancelled = this.#random.next() < cancelledShare
    this.#random.pick(clients).send({
      type: 'follow',
      taskId,
      ...(isCancelled ? { cancelAfterMs: this.#random.between(0, this.#parts.settings.maxBodyMs / 4) } : {}),
    })
  }
}
