import { seededRandom } from '@taskledger/core/testing'

/** Random choices that a seed repeats. Each purpose has a stream of its own. */
export class Random {
  readonly #next: () => number

  constructor(seed: number, purpose: string) {
    this.#next = seededRandom(seed, purpose)
  }

  /** In [0, 1). */
  next(): number {
    return this.#next()
  }

  /** A whole number, both ends included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  /** @throws where the list is empty. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.next() * items.length)]
    if (item === undefined) throw new Error('there is nothing to pick from: give a list with items')
    return item
  }

  /** One of the names, with the probability of its weight. */
  weighted<Name extends string>(weights: Readonly<Partial<Record<Name, number>>>): Name {
    const entries = Object.entries(weights) as unknown as readonly (readonly [Name, number])[]
    let rest = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      rest -= weight
      if (rest < 0) return name
    }
    return this.pick(entries)[0]
  }
}
