import { misuse } from './errors.ts'

/** What this needs of Node's `tls` and `crypto`: core imports nothing of Node, so the adapter gives it. */
export interface NodeTls {
  /** Throws if Node refuses a certificate or a key. */
  createSecureContext(options: object): unknown
  /** Connects to a server. */
  connect(options: object): PeerSocket
  readonly X509Certificate: new (pem: string) => PeerCertificateText
}

/** A connection that is made to see the certificate of its server. */
export interface PeerSocket {
  /** Hears once of the end of the handshake, or of the time-out. */
  once(event: 'secureConnect' | 'timeout', listener: () => void): unknown
  /** Hears of errors. */
  on(event: 'error', listener: () => void): unknown
  /** The certificate that the server has shown. */
  getPeerX509Certificate(): PeerCertificateText | undefined
  /** Ends the connection. */
  destroy(): unknown
}

/** What messages tell of a certificate. */
export interface PeerCertificateText {
  readonly subject: string
  readonly issuer: string
  readonly validTo: string
  readonly fingerprint256: string
}

/** How long to wait for the certificate of a server, in milliseconds. */
const lookTimeoutMs = 2_000

/**
 * Checks the certificates and keys of options for `tls.connect`, before a server is asked: Node ignores a `ca` that is no certificate, and
 * then refuses every server.
 *
 * @throws `MISUSE`; the values are not shown.
 */
export const checkTlsOptions = (name: string, value: unknown, node: NodeTls): object => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw misuse(`${name} is not usable: give an object for tls.connect, or a function that returns one`)
  const { ca } = value as { readonly ca?: unknown }
  for (const each of Array.isArray(ca) ? ca : [ca])
    if (each !== undefined && !hasCertificates(each, node))
      throw misuse(`${name}.ca is not usable: give certificates as PEM text (-----BEGIN CERTIFICATE-----)`)
  try {
    node.createSecureContext(value)
  } catch (error) {
    const reason = error instanceof Error ? error.message : ''
    throw misuse(`${name} is not usable: give a cert and a key that fit each other, as PEM text, or a pfx with its passphrase (${reason})`)
  }
  return value
}

const hasCertificates = (text: unknown, { X509Certificate }: NodeTls): boolean => {
  const blocks = String(text).match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^]+?-----END [A-Z0-9 ]+-----/g) ?? []
  try {
    return blocks.length > 0 && blocks.every((block) => new X509Certificate(block).validTo !== '')
  } catch {
    return false
  }
}

/** The certificate that a server shows, in words; `undefined` if it shows none in time. Nothing is sent after the handshake. */
export const shownCertificate = (server: { readonly host: string; readonly port: number }, node: NodeTls): Promise<string | undefined> =>
  new Promise((resolve) => {
    const socket = node.connect({ ...server, rejectUnauthorized: false, timeout: lookTimeoutMs })
    const end = (certificate?: PeerCertificateText): void => {
      resolve(certificate && inWords(certificate))
      socket.destroy()
    }
    socket.once('secureConnect', () => end(socket.getPeerX509Certificate()))
    socket.once('timeout', () => end())
    socket.on('error', () => end())
  })

const inWords = ({ subject, issuer, validTo, fingerprint256 }: PeerCertificateText): string =>
  `"${oneLine(subject)}", issued by "${oneLine(issuer)}", valid until ${validTo}, SHA-256 ${fingerprint256}`

const oneLine = (name: string): string => name.trim().replaceAll('\n', ', ')
