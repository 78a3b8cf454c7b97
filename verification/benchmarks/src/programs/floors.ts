import type { Program } from '../bench.ts'
import { serversOf } from '../bench.ts'
import { AdapterStore } from '../floors/adapter-store.ts'
import { BareStore } from '../floors/bare-store.ts'
import { jamesLives } from '../floors/james-like.ts'
import { lives } from '../floors/lives.ts'
import { fanOutRate, queueRate } from '../floors/messaging.ts'
import { freshPrefix } from '../nodes/prefix.ts'
import { clientOf } from '../platforms/endpoints.ts'
import type { Figure } from '../report/figures.ts'

/** The rates of the bare drivers on these servers. */
export const floors: Program = {
  about: 'the bare drivers: lives in the store, James-like lives, a queue, a fan-out to three',
  on: ['servers'],
  async run(bench): Promise<readonly Figure[]> {
    const { scale } = bench
    const { endpoints } = serversOf(bench)
    const client = clientOf(endpoints)
    await client.connect()
    try {
      const forMs = 3_000 * scale
      const cheapest = new BareStore(client)
      const same = new AdapterStore(client, freshPrefix())
      const kinds: readonly (readonly [string, (forMs: number) => Promise<number>])[] = [
        ['James-like lives', (forMs) => jamesLives(client, forMs)],
        ...[1, 8, 32].map((size) => [`cheapest lives, cohorts of ${size}`, (forMs: number) => lives(cheapest, size, forMs)] as const),
        ...[1, 8, 32].map(
          (size) => [`lives by the adapter's statements, cohorts of ${size}`, (forMs: number) => lives(same, size, forMs)] as const,
        ),
      ]
      const figures: Figure[] = []
      let james = Number.NaN
      for (const [name, run] of kinds) {
        await run(forMs / 2)
        const value = await run(forMs)
        if (figures.length === 0) james = value
        figures.push({ name, value, unit: 'lives/s', detail: `${(value / james).toFixed(1)} × James-like` })
      }
      const { url } = endpoints.amqp
      figures.push(
        {
          name: 'publish, confirm, consume, acknowledge, 1 at a time',
          value: await queueRate(url, freshPrefix(), 1, forMs / 2),
          unit: 'messages/s',
        },
        {
          name: 'publish, confirm, consume, acknowledge, 64 at a time',
          value: await queueRate(url, freshPrefix(), 64, forMs),
          unit: 'messages/s',
        },
        { name: 'fan-out to 3, 64 at a time', value: await fanOutRate(url, freshPrefix(), 64, forMs), unit: 'messages/s' },
      )
      return figures
    } finally {
      await client.shutdown()
    }
  },
}
