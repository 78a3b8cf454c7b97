import { cassandraStorage } from '@taskledger/cassandra'
import type { Logger, TaskMessaging, TaskStorage } from '@taskledger/core'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'

/** The addresses at which a process reaches the engines. */
export interface EngineAddresses {
  /** Each `host:port`. */
  readonly cassandra: readonly string[]
  readonly localDataCenter: string
  readonly keyspace: string
  readonly amqpUrl: string
}

/** An engine may be away when a process starts. */
const connectTimeoutMs = 90_000

/** Opens both engines for one node. Its manager closes them. */
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
