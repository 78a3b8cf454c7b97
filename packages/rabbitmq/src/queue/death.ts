import { randomUUID } from 'node:crypto'
import type { Message } from 'amqplib'
import type { DeadLetter } from '@taskledger/core/ports'

/** Counts the releases of a message: a queue of the broker counts deliveries, not releases. */
export const releasesHeader = 'taskledger-releases'
/** Why a message was dead-lettered. */
const reasonHeader = 'taskledger-reason'
/** When, in milliseconds since 1970. */
const timeHeader = 'taskledger-dead-at'
/** The id of the dead letter. */
const idHeader = 'taskledger-letter'

/** In characters. Headers must fit into one frame, of at least 8 KiB, in any alphabet. */
const maxReasonLength = 1_500

/** The largest time that a `Date` can have, in milliseconds since 1970. */
const maxTime = 8.64e15

/** What the headers of a dead letter say of its death. */
export type Death = Pick<DeadLetter, 'why' | 'deadAt' | 'releases'> & { readonly id?: string }

/** How often the message was released, as its sender wrote it. */
export const releasesOf = ({ properties: { headers } }: Pick<Message, 'properties'>): number => {
  const releases: unknown = headers?.[releasesHeader]
  return typeof releases === 'number' && Number.isSafeInteger(releases) && releases > 0 ? releases : 0
}

/** Whether the message was released before. A release that does not count leaves the number unchanged. */
export const wasReleased = ({ properties: { headers } }: Pick<Message, 'properties'>): boolean => headers?.[releasesHeader] !== undefined

/** The headers of a copy that goes to the dead letters. */
export const headersOfDeath = (raw: Pick<Message, 'properties'>, why: string): Readonly<Record<string, unknown>> => ({
  [reasonHeader]: why.slice(0, maxReasonLength),
  [releasesHeader]: releasesOf(raw),
  [timeHeader]: Date.now(),
  [idHeader]: randomUUID(),
})

/**
 * What the headers of a dead letter say: ours, or those of the broker if it dead-lettered the message by itself. A client of the broker
 * may have written anything into both.
 */
export const deathOf = (raw: Pick<Message, 'properties'>): Death => {
  const headers = (raw.properties.headers ?? {}) as Readonly<Record<string, unknown>>
  const own = { id: headers[idHeader], why: headers[reasonHeader], deadAt: headers[timeHeader] }
  const { why, deadAt } = own.why === undefined ? deathAtBroker(headers['x-death']) : own
  return {
    ...(typeof own.id === 'string' ? { id: own.id } : {}),
    ...(typeof why === 'string' ? { why } : {}),
    ...(typeof deadAt === 'number' && Math.abs(deadAt) <= maxTime ? { deadAt } : {}),
    releases: releasesOf(raw),
  }
}

/** The broker's list of deaths has the latest first: a delay that has passed counts as one, too. */
const deathAtBroker = (deaths: unknown): { readonly why?: unknown; readonly deadAt?: unknown } => {
  const [latest] = Array.isArray(deaths) ? (deaths as readonly unknown[]) : []
  if (typeof latest !== 'object' || latest === null || !('reason' in latest) || typeof latest.reason !== 'string') return {}
  const time: unknown =
    'time' in latest && typeof latest.time === 'object' && latest.time !== null && 'value' in latest.time ? latest.time.value : undefined
  return { why: `the broker dead-lettered it: ${latest.reason}`, ...(typeof time === 'number' ? { deadAt: time * 1_000 } : {}) }
}
