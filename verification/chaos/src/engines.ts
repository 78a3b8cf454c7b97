import { cassandraStorage } from '@taskledger/cassandra'
import type { Logger, TaskMessaging, TaskStorage } from '@taskledger/core'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'

/** How a process reaches the engines. */
export interface EngineAddresses {
  /** Each `host:port`. */
  readonly cassandra: readonly string[]
  readonly localDataCenter: string
  readonly keyspace: string
  readonly amqpUrl: string
}

/** An outage may be under way when a process begins. */
const connectTimeoutMs = 90_000

/** Opens both for one node. They are closed with its manager. */
export const openEngines = async (
  { cassandra, localDataCenter, keyspace, amqpUrl }: EngineAddresses,
  logger: Logger,
): Promise<{ readonly storage: TaskStorage; readonly messaging: TaskMessaging }> => {
  const storage = await cassandraStorage({ contactPoints: cassandra, localDataCenter, keyspace, connectTimeoutMs, logger })
  try {
    return { storage, messaging: await rabbitmqMessaging({ url: amqpUrl, connectTimeoutMs, logger }) }
  } catch (error) {
    await storage.close()
    throw error
  }
}
