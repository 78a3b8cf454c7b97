import { X509Certificate } from 'node:crypto'
import type { ConnectionOptions, PeerCertificate } from 'node:tls'
import { checkServerIdentity, connect, createSecureContext } from 'node:tls'
import type { Logger, NodeTls } from '@taskledger/core/ports'
import { checkTlsOptions, shownCertificate } from '@taskledger/core/ports'
import type { CassandraTls } from './options.ts'

/** What core needs of Node to check certificates. */
const node: NodeTls = { connect, createSecureContext, X509Certificate }

/** @throws `MISUSE` for a `ca`, `cert` or `key` that cannot be used. */
export const checkTls = (name: string, value: unknown): ConnectionOptions => checkTlsOptions(name, value, node)

/**
 * The TLS options for the connections of a client. The driver connects by address, and does not check certificates by
 * itself; so here each certificate has to be of a trusted authority, and has to have the address or one of the names by
 * which the cluster was given.
 */
export class TlsOptions {
  readonly #given: CassandraTls
  readonly #names: readonly string[]
  readonly #logger: Logger
  #latest: ConnectionOptions = {}

  constructor(parts: { readonly given: CassandraTls; readonly contactPoints: readonly string[]; readonly logger: Logger }) {
    this.#given = parts.given
    this.#names = parts.contactPoints.map(hostOf)
    this.#logger = parts.logger
  }

  get latest(): ConnectionOptions {
    return this.#latest
  }

  /** Gets the options for the next connection. @throws `MISUSE`; whatever the caller's function throws. */
  async renew(): Promise<void> {
    this.#use(typeof this.#given === 'function' ? await this.#given() : this.#given)
  }

  /**
   * What the driver reads anew for each connection. It cannot wait, so if the caller's function is async, a connection
   * has the options of the call before; the driver's next try has the new ones.
   */
  forDriver(): object {
    return new Proxy<object>(
      {},
      {
        ownKeys: () => {
          this.#renewNow()
          return Reflect.ownKeys(this.#latest)
        },
        getOwnPropertyDescriptor: (_target, key) => {
          const descriptor = Reflect.getOwnPropertyDescriptor(this.#latest, key)
          return descriptor && { ...descriptor, configurable: true }
        },
        get: (_target, key) => Reflect.get(this.#latest, key) as unknown,
      },
    )
  }

  #renewNow(): void {
    if (typeof this.#given !== 'function') return
    const keepLast = (err: unknown): void => this.#logger.warn({ err }, 'failed to renew the TLS options: using the last ones')
    try {
      const given = this.#given()
      if ('then' in given)
        Promise.resolve(given)
          .then((options) => this.#use(options))
          .catch(keepLast)
      else this.#use(given)
    } catch (error) {
      keepLast(error)
    }
  }

  #use(given: object): void {
    const options = checkTls('tls', given)
    const isNamed = options.servername !== undefined || options.checkServerIdentity !== undefined
    this.#latest = { rejectUnauthorized: true, ...(isNamed ? {} : { checkServerIdentity: identityOf(this.#names) }), ...options }
  }
}

/** Accepts a certificate for the address, or for one of the names. */
const identityOf =
  (names: readonly string[]) =>
  (address: string, certificate: PeerCertificate): Error | undefined => {
    const refusal = checkServerIdentity(address, certificate)
    if (refusal === undefined || names.some((name) => checkServerIdentity(name, certificate) === undefined)) return undefined
    const accepted = [...new Set([address, ...names])]
    return Object.assign(refusal, { message: `it has ${certificate.subjectaltname ?? 'no name'}, and not ${accepted.join(' or ')}` })
  }

/** The host of a contact point: `host`, `host:port` or `[address]:port`. */
const hostOf = (point: string): string =>
  /^\[(.+)\](?::\d+)?$/.exec(point)?.[1] ?? (point.split(':').length === 2 ? point.replace(/:\d+$/, '') : point)

/** The certificate of the host at an address, in words; `undefined` if it shows none. */
export const certificateOf = (address: string): Promise<string | undefined> =>
  shownCertificate({ host: hostOf(address), port: Number(address.slice(address.lastIndexOf(':') + 1)) }, node)
