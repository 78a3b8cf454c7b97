import { connect } from 'amqplib'
import { reindexMailbox } from '@taskledger/example-reindex/job'
import type { EngineSettings } from '../engines.ts'

const connectMs = 10_000

/**
 * Deletes the queues and the exchange of a run. AMQP cannot tell which queues there are, but to delete one that is not there
 * is no error: so all that there may be are deleted by their names.
 */
export const clearRabbitmq = async ({ amqpUrl, prefix }: EngineSettings): Promise<void> => {
  const connection = await connect(amqpUrl, { timeout: connectMs })
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

/** The delays with which a message may come back, in milliseconds: there is a queue for each that was ever needed. */
const delays = (): readonly number[] =>
  [10, 100, 1_000, 10_000, 100_000].flatMap((power) => [1, 1.5, 2, 3, 5, 7].map((step) => step * power))
