import { cassandraStorage } from '@taskledger/cassandra'
import type { Logger, TaskMessaging, TaskStorage } from '@taskledger/core'
import { rabbitmqMessaging } from '@taskledger/rabbitmq'
import type { CassandraEndpoint } from '@taskledger/servers'

/** The engines of a run. Each of its processes receives them. */
export interface EngineSettings {
  readonly cassandra: CassandraEndpoint
  /** The keyspace of this run. */
  readonly keyspace: string
  readonly amqpUrl: string
  /** The prefix of the names of this run's queues and exchanges. */
  readonly prefix: string
}

/** Opens both engines for one node. Its manager waits for them, and closes them. */
export const openEngines = (
  { cassandra, keyspace, amqpUrl, prefix }: EngineSettings,
  logger: Logger,
): { readonly storage: Promise<TaskStorage>; readonly messaging: Promise<TaskMessaging> } => {
  const { contactPoints, localDataCenter, credentials } = cassandra
  return {
    storage: cassandraStorage({
      contactPoints,
      localDataCenter,
      ...(credentials === undefined ? {} : { credentials }),
      keyspace,
      logger,
    }),
    messaging: rabbitmqMessaging({ url: amqpUrl, prefix, logger }),
  }
}
