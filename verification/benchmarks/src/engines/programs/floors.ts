import type { Client } from 'cassandra-driver'
import type { Bench, EngineFigure, Program } from '../bench.ts'
import { freshPrefix } from '../bench.ts'
import { clientOf } from '../engines.ts'
import { AdapterStore } from '../floors/adapter-store.ts'
import type { LifeStore } from '../floors/bare-store.ts'
import { BareStore } from '../floors/bare-store.ts'
import { liveLikeJames } from '../floors/james-like.ts'
import { liveCohort } from '../floors/lives.ts'
import { fanOutRate, queueRate } from '../floors/messaging.ts'
import { perSecond } from '../pace.ts'

const inFlight = 64

/** So many cohorts at once as are 64 tasks, and at least four: the queue of one partition is no floor. */
export const lives = (store: LifeStore, size: number, forMs: number, writers = 1): Promise<number> =>
  perSecond(Math.max(4, Math.ceil(inFlight / size)), forMs, () => liveCohort(store, size, writers))

export const jamesLives = (client: Client, forMs: number): Promise<number> => perSecond(inFlight, forMs, () => liveLikeJames(client))

/** What the bare drivers do on these servers. */
export const floors: Program = {
  about: 'bare drivers: lives in the store, James-like lives, a queue, a fan-out to three',
  async run({ engines, scale }: Bench): Promise<readonly EngineFigure[]> {
    const client = clientOf(engines)
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
      const figures: EngineFigure[] = []
      let james = Number.NaN
      for (const [name, run] of kinds) {
        await run(forMs / 2)
        const value = await run(forMs)
        if (figures.length === 0) james = value
        figures.push({ name, value, unit: 'lives/s', detail: `${(value / james).toFixed(1)} × James-like` })
      }
      const { url } = engines.amqp
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
