import { cassandraStorage } from '@taskledger/cassandra'
import type { Logger, Messaging, Storage } from '@taskledger/core'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { CassandraEndpoint } from '@taskledger/servers'

/** Where a run keeps its tasks and sends its messages: what each of its processes is told. */
export interface EngineSettings {
  readonly cassandra: CassandraEndpoint
  /** Of this run alone. */
  readonly keyspace: string
  readonly amqpUrl: string
  /** What the names of this run's queues and exchanges begin with. */
  readonly prefix: string
}

/** Opens both engines for one node. They are closed with its manager. */
export const openEngines = async (
  { cassandra, keyspace, amqpUrl, prefix }: EngineSettings,
  logger: Logger,
): Promise<{ readonly storage: Storage; readonly messaging: Messaging }> => {
  const { contactPoints, localDataCenter, credentials } = cassandra
  const storage = await cassandraStorage({
    contactPoints,
    localDataCenter,
    ...(credentials === undefined ? {} : { credentials }),
    keyspace,
    logger,
  })
  try {
    return { storage, messaging: await rabbitmqMessaging({ url: amqpUrl, prefix, logger }) }
  } catch (error) {
    await storage.close()
    throw error
  }
}
