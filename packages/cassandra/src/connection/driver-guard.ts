// oxlint-disable no-underscore-dangle -- the names are the driver's
import type { Client } from 'cassandra-driver'
import type { Logger } from '@taskledger/core/ports'

/** What is private in the driver, as of 4.10. All of it is looked for before it is used. */
interface ControlConnection {
  readonly connection?: { readonly connected?: boolean; close?(): void } | null
  readonly _isShuttingDown?: boolean
  _refresh?(hosts?: unknown): Promise<void>
}

interface HostWithPool {
  shutdown?(waitForPending: boolean): Promise<void>
}

const controlConnectionOf = (client: Client): ControlConnection | undefined =>
  (client as Client & { readonly controlConnection?: ControlConnection }).controlConnection

const againAfterMs = 1_000

const shutDownHost = (host: object): void => void (host as HostWithPool).shutdown?.(false).catch(() => {})

/**
 * Shuts down the hosts that the driver forgets. When none could be reached for a while, it begins anew from the contact points,
 * and puts a new host in the place of the one that it had; the connections of the old one are renewed for ever, and the process
 * never ends.
 */
export const guardHosts = (client: Client): void => {
  client.on('hostRemove', (host: { readonly address: string }) => {
    // One that left the cluster has no successor, and the driver lets it finish what it has.
    if (client.hosts.get(host.address) !== undefined) shutDownHost(host)
  })
}

/**
 * Keeps the driver's own upkeep from ending the process. When a connection breaks, it may renew its control connection twice
 * at the same time; each takes the other's away, and the error is a rejection that nobody handles (NODEJS-681). Here one
 * renewal runs at a time, and one that fails is tried again.
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
        // What a renewal made while the client was shut down, nobody else closes.
        if (control._isShuttingDown === true) closeLate(client)
      } while (isWanted && control.connection?.connected !== true && control._isShuttingDown !== true)
    } catch (error) {
      logger.debug({ err: error }, 'the control connection could not be renewed; trying again')
      if (control._isShuttingDown !== true) setTimeout(() => void renew(), againAfterMs).unref()
    } finally {
      isRunning = false
    }
  }
  const renew = async (): Promise<void> => {
    isWanted = true
    if (!isRunning) await run()
  }
  // With hosts given, it is the renewal under way that goes on to the next of them.
  control._refresh = (hosts) => (hosts === undefined ? renew() : refresh(hosts))
}

const closeLate = (client: Client): void => {
  closeControlConnection(client)
  for (const host of client.hosts.values()) shutDownHost(host)
}

/** Closes the connection over which the driver heard that the cluster does not suit it: it forgets it, and the process would never end. */
export const closeControlConnection = (client: Client): void => controlConnectionOf(client)?.connection?.close?.()
