// oxlint-disable no-underscore-dangle -- the names are the driver's
import type { Client } from 'cassandra-driver'
import type { Logger } from '@taskledger/core/ports'

/** Private members of the driver, as of 4.10. Each is checked before it is used. */
interface ControlConnection {
  readonly connection?: { readonly connected?: boolean; close?(): void } | null
  readonly _isShuttingDown?: boolean
  _refresh?(hosts?: unknown): Promise<void>
}

interface HostWithPool {
  shutdown?(waitForPending: boolean): Promise<void>
  /** Called when a request of the connection has timed out. */
  checkHealth?(connection: PooledConnection): void
}

interface PooledConnection {
  readonly sendingIdleQuery?: boolean
  /** Sends a heartbeat. If no answer comes, the connection is removed from its pool, and the pool opens another. */
  _idleTimeoutHandler?(): void
}

const controlConnectionOf = (client: Client): ControlConnection | undefined =>
  (client as Client & { readonly controlConnection?: ControlConnection }).controlConnection

const retryAfterMs = 1_000

const shutDownHost = (host: object): void => void (host as HostWithPool).shutdown?.(false).catch(() => {})

/**
 * Shuts down the hosts that the driver replaces. When no host could be reached for a while, the driver starts again
 * from the contact points and replaces its host object by a new one. The old object would reconnect for ever, and the
 * process would never end.
 */
export const guardHosts = (client: Client): void => {
  client.on('hostRemove', (host: { readonly address: string }) => {
    // A host that left the cluster has no replacement, and the driver lets its requests finish.
    if (client.hosts.get(host.address) !== undefined) shutDownHost(host)
  })
}

/**
 * Sends a heartbeat as soon as a request has timed out, so that a connection whose other side is gone without a word is given up after a
 * second timeout. The driver sends its own heartbeats only on a connection without requests, and gives up a busy one after 65 timeouts: a
 * node that makes a request every few seconds would be cut off for minutes. A connection whose server is only slow answers the heartbeat.
 */
export const guardSilentConnections = (client: Client): void => {
  const guard = (host: HostWithPool): void => {
    const checkHealth = host.checkHealth?.bind(host)
    if (checkHealth === undefined) return
    host.checkHealth = (connection) => {
      if (connection.sendingIdleQuery !== true) connection._idleTimeoutHandler?.()
      checkHealth(connection)
    }
  }
  client.on('hostAdd', guard)
  for (const host of client.hosts.values()) guard(host as HostWithPool)
}

/**
 * Prevents an unhandled rejection in the driver, which would end the process. When a connection breaks, the driver may
 * refresh its control connection twice at the same time: each refresh closes the connection of the other, and nothing
 * handles the error (NODEJS-681). Here one refresh runs at a time, and a failed refresh is retried.
 */
export const guardControlConnection = (client: Client, logger: Logger): void => {
  const control = controlConnectionOf(client)
  const refresh = control?._refresh?.bind(control)
  if (control === undefined || refresh === undefined) return
  let isRunning = false
  let isWanted = false
  const run = async (): Promise<void> => {
    isRunning = true
    try {
      do {
        isWanted = false
        await refresh()
        // The client was shut down during the refresh: nothing else closes the new connection.
        if (control._isShuttingDown === true) closeLate(client)
      } while (isWanted && control.connection?.connected !== true && control._isShuttingDown !== true)
    } catch (error) {
      logger.debug({ err: error }, 'failed to refresh the control connection: retrying')
      if (control._isShuttingDown !== true) setTimeout(() => void refreshAlone(), retryAfterMs).unref()
    } finally {
      isRunning = false
    }
  }
  const refreshAlone = async (): Promise<void> => {
    isWanted = true
    if (!isRunning) await run()
  }
  // With hosts, the call is part of the running refresh, which goes on to the next host.
  control._refresh = (hosts) => (hosts === undefined ? refreshAlone() : refresh(hosts))
}

const closeLate = (client: Client): void => {
  closeControlConnection(client)
  for (const host of client.hosts.values()) shutDownHost(host)
}

/**
 * Closes the control connection of a client that failed to connect: the driver leaves it open, and the process would
 * never end.
 */
export const closeControlConnection = (client: Client): void => controlConnectionOf(client)?.connection?.close?.()
