/** The server that TLS failed with, for the words of a refusal. */
export interface TlsServer {
  /** `host:port`. */
  readonly address: string
  /** Its certificate in words, if it showed one. */
  readonly certificate?: string | undefined
  /** The option that has the certificates: `tls`. */
  readonly option: string
}

/** The codes of Node for a certificate that is for another name. */
const otherName = /^ERR_TLS_CERT_ALTNAME_INVALID$/

/** The codes of OpenSSL for a certificate that is refused because of its dates. */
const dates = /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/

/** The codes of OpenSSL for a certificate that no trusted authority vouches for. */
const untrusted =
  /^(CERT_(CHAIN_TOO_LONG|REJECTED|REVOKED|SIGNATURE_FAILURE|UNTRUSTED)|(DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|UNABLE_TO_(GET_ISSUER_CERT(_LOCALLY)?|VERIFY_LEAF_SIGNATURE))$/

/** The codes of Node for a failed handshake. */
const handshake = /^(ERR_SSL_.*|EPROTO)$/

/**
 * Why TLS with a server failed in a way that no retry cures, with what to change; `undefined` for any other error. It knows the error codes
 * of Node.
 */
export const tlsRefusalOf = (error: unknown, { address, certificate, option }: TlsServer): string | undefined => {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined
  const { code } = error
  // OpenSSL ends its messages with a line break.
  const message = error.message.trim()
  const refused = `the certificate of ${address} is refused: ${message}${certificate === undefined ? '' : `. It is ${certificate}`}`
  if (otherName.test(code)) return `${refused}. Connect by a name that it has, or give that name as \`servername\` in ${option}`
  if (dates.test(code)) return `${refused}. Renew it, or check the clock of this machine`
  if (untrusted.test(code)) return `${refused}. Give the certificate of the authority that issued it as \`ca\` in ${option}`
  if (!handshake.test(code)) return undefined
  if (/alert/i.test(message))
    return `${address} refuses the TLS handshake: ${message}. Check \`cert\` and \`key\` in ${option}: the server may ask for a certificate of an authority that it trusts`
  if (/wrong version number|packet length too long/i.test(message))
    return `${address} does not speak TLS (${message}): check the port, or connect without TLS`
  return `TLS with ${address} fails: ${message}. Check the TLS versions and ciphers of both sides`
}
