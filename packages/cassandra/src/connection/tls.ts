import { X509Certificate } from 'node:crypto'
import type { ConnectionOptions, PeerCertificate } from 'node:tls'
import { checkServerIdentity, connect, createSecureContext } from 'node:tls'
import type { Logger } from '@taskledger/core/ports'
import { misuse } from '@taskledger/core/ports'
import type { CassandraTls } from './options.ts'

/** How long to wait for the certificate of a server, in milliseconds. */
const lookTimeoutMs = 2_000

/**
 * Checks certificates and keys before a server is asked: Node ignores a `ca` that is no certificate, and would then
 * refuse every server.
 *
 * @throws `MISUSE`; the values are not shown.
 */
export const checkTls = (name: string, value: unknown): ConnectionOptions => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw misuse(`${name} is not usable: give an object for tls.connect, or a function that returns one`)
  const options: ConnectionOptions = value
  const { ca } = options
  for (const each of Array.isArray(ca) ? ca : [ca])
    if (each !== undefined && !hasCertificates(each))
      throw misuse(`${name}.ca is not usable: give certificates as PEM text (-----BEGIN CERTIFICATE-----)`)
  try {
    createSecureContext(options)
  } catch (error) {
    throw misuse(`${name} is not usable: ${error instanceof Error ? error.message : ''}; check cert, key, pfx, passphrase and ciphers`)
  }
  return options
}

const hasCertificates = (text: unknown): boolean => {
  const blocks = String(text).match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^]+?-----END [A-Z0-9 ]+-----/g) ?? []
  try {
    return blocks.length > 0 && blocks.every((block) => new X509Certificate(block).subject !== null)
  } catch {
    return false
  }
}

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

/** The certificate that a server shows, in words; `undefined` if it shows none in time. Nothing else is asked or told. */
export const shownCertificate = (address: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const port = Number(address.slice(address.lastIndexOf(':') + 1))
    const socket = connect({ host: hostOf(address), port, rejectUnauthorized: false, timeout: lookTimeoutMs })
    const end = (certificate?: X509Certificate): void => {
      resolve(certificate && inWords(certificate))
      socket.destroy()
    }
    socket.once('secureConnect', () => end(socket.getPeerX509Certificate()))
    socket.once('timeout', () => end())
    socket.on('error', () => end())
  })

const inWords = ({ subject, issuer, validTo, fingerprint256 }: X509Certificate): string =>
  `"${oneLine(subject)}", issued by "${oneLine(issuer)}", valid until ${validTo}, SHA-256 ${fingerprint256}`

const oneLine = (name: string): string => name.trim().replaceAll('\n', ', ')
