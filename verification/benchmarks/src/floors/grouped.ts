interface Waiting<Item> {
  readonly item: Item
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/**
 * The simplest group commit: one write at a time for each key. Items that are added during a write go together in the next one. There is no
 * timer, so a lone item is written at once.
 */
export class Grouped<Item> {
  readonly #write: (key: string, items: readonly Item[]) => Promise<void>
  readonly #waiting = new Map<string, Waiting<Item>[]>()
  readonly #maxItems: number

  constructor(maxItems: number, write: (key: string, items: readonly Item[]) => Promise<void>) {
    this.#maxItems = maxItems
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
    // Items of the same turn go together.
    await Promise.resolve()
    const line = this.#waiting.get(key) ?? []
    while (line.length > 0) {
      const group = line.splice(0, this.#maxItems)
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
