import type { Client } from 'cassandra-driver'
import type { Logger } from '@taskledger/core/ports'

/**
 * What is known of the hosts. The driver asks none that it takes to be down, and the error of a request that finds no other
 * says neither which they are nor what is wrong with them.
 */
export interface HostWatch {
  /** The hosts that are down, in words, each with what its last connection failed with; empty where none is. */
  hostsDown(): string
  stop(): void
}

/** How the driver reports it, beside the error itself. */
const failedConnection = /^Connection to (\S+) could not be created/

/** Tells the log once of each change of a host, not of each request that meets it. */
export const watchHosts = (client: Client, logger: Logger): HostWatch => {
  const failures = new Map<string, string>()
  const onDown = ({ address }: { address: string }): void => logger.warn({ host: address }, 'a Cassandra host is down')
  const onUp = ({ address }: { address: string }): void => {
    failures.delete(address)
    logger.info({ host: address }, 'a Cassandra host is up again')
  }
  const onLog = (_level: unknown, _className: unknown, message: unknown, cause: unknown): void => {
    const address = failedConnection.exec(String(message))?.[1]
    if (address !== undefined && cause instanceof Error) failures.set(address, cause.message)
  }
  client.on('hostDown', onDown).on('hostUp', onUp).on('log', onLog)
  return {
    hostsDown: () =>
      client.hosts
        .values()
        .filter((host) => !host.isUp())
        .map(({ address }) => {
          const failure = failures.get(address)
          return `${address} is down${failure === undefined ? '' : ` (${failure})`}`
        })
        .join('; '),
    stop: () => void client.off('hostDown', onDown).off('hostUp', onUp).off('log', onLog),
  }
}
