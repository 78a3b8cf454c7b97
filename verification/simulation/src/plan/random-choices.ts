import { seededRandom } from '@taskledger/core/testing'

/** Random choices that follow from a seed. */
export class RandomChoices {
  /** A number in [0, 1). */
  readonly next: () => number

  constructor(seed: number, purpose: string) {
    this.next = seededRandom(seed, purpose)
  }

  is(probability: number): boolean {
    return this.next() < probability
  }

  between(min: number, max: number): number {
    return Math.floor(min + this.next() * (max - min))
  }

  of<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.next() * choices.length)] as T
  }

  /** One of the choices, each as likely as its weight says. */
  weighted<T>(choices: readonly (readonly [T, number])[]): T {
    let left = this.next() * choices.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [choice, weight] of choices) if ((left -= weight) < 0) return choice
    return (choices[0] as readonly [T, number])[0]
  }
}
