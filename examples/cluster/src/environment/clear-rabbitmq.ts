import { credentialsIn } from '@taskledger/servers'
import { connect } from 'amqplib'
import { reindexMailbox } from '@taskledger/example-reindex/job'
import type { EngineSettings } from './engines.ts'

const connectMs = 10_000

/**
 * Deletes the queues and the exchange of a run. AMQP cannot list queues, but it accepts the deletion of a queue that does not exist: so every
 * possible name is deleted.
 */
export const clearRabbitmq = async ({ amqpUrl, prefix }: EngineSettings): Promise<void> => {
  const connection = await connect(amqpUrl, { timeout: connectMs, ...credentialsIn(amqpUrl) })
  try {
    const channel = await connection.createChannel()
    const { queue } = reindexMailbox
    const kinds = ['work', 'dead', 'serial', ...delays().map((ms) => `delay.${ms}`)]
    await Promise.all(kinds.map((kind) => channel.deleteQueue(`${prefix}.${kind}.${queue}`)))
    await channel.deleteExchange(`${prefix}.events`)
    await channel.close()
  } finally {
    await connection.close()
  }
}

/** The possible delays of a message, in milliseconds. Each delay that was used has a queue. */
const delays = (): readonly number[] =>
  [10, 100, 1_000, 10_000, 100_000].flatMap((power) => [1, 1.5, 2, 3, 5, 7].map((step) => step * power))
