import type { Client } from 'cassandra-driver'
import type { Logger } from '@taskledger/core/ports'

/**
 * Watches which hosts are down, and why. The driver does not ask a host that it considers down, and its error then
 * names neither the host nor the reason.
 */
export interface HostWatch {
  /** The hosts that are down, in words, each with the error of its last connection. Empty if all are up. */
  hostsDown(): string
  stop(): void
}

/** The driver's log message of a failed connection. */
const failedConnection = /^Connection to (\S+) could not be created/

/** Logs each change of a host once, and not again for each request. */
export const watchHosts = (client: Client, logger: Logger): HostWatch => {
  const failures = new Map<string, string>()
  const onDown = ({ address }: { address: string }): void => logger.warn({ host: address }, 'marked a Cassandra host as down')
  const onUp = ({ address }: { address: string }): void => {
    failures.delete(address)
    logger.info({ host: address }, 'marked a Cassandra host as up')
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
