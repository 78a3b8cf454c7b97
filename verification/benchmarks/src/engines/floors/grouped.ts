interface Waiting<Item> {
  readonly item: Item
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/**
 * Writes together what comes while a write is under way: one write at a time for each key, without a timer, so that what comes alone goes
 * at once. The simplest group commit that a floor can have.
 */
export class Grouped<Item> {
  readonly #write: (key: string, items: readonly Item[]) => Promise<void>
  readonly #waiting = new Map<string, Waiting<Item>[]>()
  readonly #most: number

  constructor(most: number, write: (key: string, items: readonly Item[]) => Promise<void>) {
    this.#most = most
    this.#write = write
  }

  add(key: string, item: Item): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = this.#waiting.get(key)
      if (line !== undefined) return void line.push({ item, resolve, reject })
      this.#waiting.set(key, [{ item, resolve, reject }])
      void this.#drain(key)
    })
  }

  async #drain(key: string): Promise<void> {
    // What is added in the same turn goes together.
    await Promise.resolve()
    const line = this.#waiting.get(key) ?? []
    while (line.length > 0) {
      const group = line.splice(0, this.#most)
      try {
        await this.#write(
          key,
          group.map(({ item }) => item),
        )
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#waiting.delete(key)
  }
}
