import { cassandraStorage } from '@taskledger/cassandra'
import type { Logger, TaskMessaging, TaskStorage } from '@taskledger/core'
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

/** Opens both engines for one node. The manager that is given them waits for them, and closes them. */
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
