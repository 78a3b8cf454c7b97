import { setTimeout as sleep } from 'node:timers/promises'
import { Chance } from './chance.ts'
import { Child } from './child.ts'
import type { FaultLine } from './evidence.ts'
import type { Ground } from './ground.ts'
import type { Place, Role } from './plan.ts'
import { places, roleOf } from './plan.ts'
import type { ChaosSettings } from './settings.ts'

/** How soon somebody who could not begin is tried again, in milliseconds. */
const againMs = 1_000

/** How long a process may take to end in order, in milliseconds. */
const closeMs = 40_000

/** Who plays in a run: one process at each place, and a new one where one is gone. */
export class Cast {
  readonly #ground: Ground
  readonly #settings: ChaosSettings
  readonly #note: (line: FaultLine) => void
  readonly #chance: Chance
  readonly #present = new Map<Place, Child>()
  readonly #starts = new Map<Place, number>()
  /** How long a successor stays away, where that was said. */
  readonly #pauses = new WeakMap<Child, number>()
  #isOver = false
  #hasEnough = false

  constructor(ground: Ground, settings: ChaosSettings, note: (line: FaultLine) => void) {
    this.#ground = ground
    this.#settings = settings
    this.#note = note
    this.#chance = new Chance(settings.seed, 'cast')
    for (const place of places) this.#enter(place, 0)
  }

  at(place: Place): Child | undefined {
    return this.#present.get(place)
  }

  /** The processes of a role that are there. */
  of(role: Role): readonly Child[] {
    return places.filter((place) => roleOf(place) === role).flatMap((place) => this.at(place) ?? [])
  }

  /** Ends whoever is at the place; the successor comes after a while. */
  async end(place: Place, how: 'kill' | 'stop', successorAfterMs: number): Promise<void> {
    const child = this.at(place)
    if (child === undefined) return
    this.#pauses.set(child, successorAfterMs)
    child[how]()
    const tooLong = setTimeout(() => child.kill(), closeMs)
    await child.ended
    clearTimeout(tooLong)
  }

  /** From now on nothing new is submitted. */
  enough(): void {
    this.#hasEnough = true
    for (const child of this.of('submitter')) child.tell({ type: 'enough' })
  }

  /** Whether nobody waits for an answer. */
  get isIdle(): boolean {
    return [...this.of('submitter'), ...this.of('client')].every((child) => child.isIdle)
  }

  /** Whether everybody is there. */
  get isComplete(): boolean {
    return places.every((place) => this.at(place)?.isReady === true)
  }

  /** Ends everybody in order. */
  async close(): Promise<void> {
    this.#isOver = true
    await Promise.all([...this.#present.keys()].map((place) => this.end(place, 'stop', 0)))
  }

  /** Ends whoever is left, at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await Promise.all([...this.#present.keys()].map((place) => this.end(place, 'kill', 0)))
  }

  #enter(place: Place, afterMs: number): void {
    void sleep(afterMs).then(() => {
      if (this.#isOver) return
      const start = (this.#starts.get(place) ?? 0) + 1
      this.#starts.set(place, start)
      const child = new Child(
        {
          role: roleOf(place),
          process: `${place}.${start}`,
          engines: this.#ground.addressesOf(place),
          settings: this.#settings,
        },
        (taskId) => this.#follow(taskId),
      )
      this.#present.set(place, child)
      if (this.#hasEnough) child.tell({ type: 'enough' })
      void child.ended.then((ended) => {
        this.#note(ended)
        this.#present.delete(place)
        this.#enter(place, this.#pauses.get(child) ?? againMs)
      })
    })
  }

  /** Somebody awaits it, and may cancel it. */
  #follow(taskId: string): void {
    const clients = this.of('client').filter((child) => child.isReady)
    if (clients.length === 0) return
    const isCancelled = this.#chance.next() < 0.15
    this.#chance.pick(clients).tell({
      type: 'follow',
      taskId,
      ...(isCancelled ? { cancelAfterMs: this.#chance.between(0, this.#settings.longestBodyMs / 4) } : {}),
    })
  }
}
