import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A certificate with its key, as PEM texts for Node's `tls`. */
export interface KeyedCertificate {
  readonly cert: string
  /** PKCS #8. */
  readonly key: string
}

export interface IssueOptions {
  /** The names and addresses that it is for; the first is its common name. Default: 127.0.0.1 and localhost. */
  readonly names?: readonly [string, ...string[]]
  /** Whether it has ended already. Default false. */
  readonly isExpired?: boolean
}

/** What a server needs to speak TLS, as PEM texts. */
export interface ServerTls extends KeyedCertificate {
  /** The authority that the certificates of clients have to be of. A client without one is refused. */
  readonly ca: string
}

/** An authority made for a test. */
export interface Authority {
  /** Its own certificate. */
  readonly ca: string
  /** Issues a certificate for a server or a client. */
  issue(options?: IssueOptions): Promise<KeyedCertificate>
}

const isAddress = (name: string): boolean => /^[\d.]+$|:/.test(name)

/** Runs openssl in a folder that only this call uses. */
const inFolder = async <T>(work: (openssl: (...args: readonly string[]) => Promise<unknown>, folder: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'taskledger-tls-'))
  try {
    return await work((...args) => run('openssl', args, { cwd: folder }), folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'] as const

/** Makes an authority with a key of its own, with the command `openssl`. */
export const makeAuthority = async (name = 'Authority of a test'): Promise<Authority> => {
  const own = await inFolder(async (openssl, folder) => {
    await openssl('req', '-x509', ...newKey, '-subj', `/CN=${name}`, '-days', '2', '-out', 'cert.pem')
    return { cert: await readFile(join(folder, 'cert.pem'), 'utf8'), key: await readFile(join(folder, 'key.pem'), 'utf8') }
  })
  const issue = ({ names = ['127.0.0.1', 'localhost'], isExpired = false }: IssueOptions = {}): Promise<KeyedCertificate> =>
    inFolder(async (openssl, folder) => {
      const alternatives = names.map((each) => `${isAddress(each) ? 'IP' : 'DNS'}:${each}`).join(',')
      await writeFile(join(folder, 'ca.pem'), own.cert)
      await writeFile(join(folder, 'ca.key'), own.key)
      await writeFile(join(folder, 'extensions'), `subjectAltName=${alternatives}\nextendedKeyUsage=serverAuth,clientAuth\n`)
      await openssl('req', '-new', ...newKey, '-subj', `/CN=${names[0]}`, '-out', 'request.pem')
      // OpenSSL allows −1 for tests of this kind.
      const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', isExpired ? '-1' : '1', '-extfile', 'extensions']
      await openssl('x509', '-req', '-in', 'request.pem', ...sign, '-out', 'cert.pem')
      return { cert: await readFile(join(folder, 'cert.pem'), 'utf8'), key: await readFile(join(folder, 'key.pem'), 'utf8') }
    })
  return { ca: own.cert, issue }
}
