import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import type { EngineProcess, Say } from '../engine.ts'
import { ServerNotAvailable, WrongEnvironment } from '../errors.ts'
import { openDataFolder } from '../process/data-folder.ts'
import { OwnProcess } from '../process/own-process.ts'
import { freePort } from '../process/ports.ts'
import { startEngine } from '../process/start-engine.ts'
import type { ServerTls } from '../tls/authority.ts'
import type { AmqpEndpoint } from './endpoint.ts'
import { probeRabbitmq } from './probe.ts'

const run = promisify(execFile)

export interface StartRabbitmqOptions {
  readonly say: Say
  /** What the server is for, in a word: part of the name of its folder. */
  readonly name: string
  /** The port on 127.0.0.1. Default: a free one. */
  readonly port?: number
  /** Lets clients connect with TLS as well, at a port of its own. They then need a certificate of their own. */
  readonly tls?: ServerTls
  /** Further lines of rabbitmq.conf, for settings that a running broker of some release does not take over. */
  readonly config?: Readonly<Record<string, string | number>>
}

/** A broker that was started here, with its administration. */
export interface RabbitmqProcess extends EngineProcess<AmqpEndpoint> {
  /** Runs rabbitmqctl, in about a second, and gives its output: `ctl('add_vhost', 'one')`. Rejects where rabbitmqctl fails. */
  ctl(...args: readonly string[]): Promise<string>
  /** The port for TLS on 127.0.0.1, if it was started with it. */
  readonly tlsPort: number | undefined
  /**
   * Makes the broker write what it would write later. Call it before a kill: RabbitMQ 3.10 records a new quorum queue up to two seconds
   * after its declaration, and if it is killed before, the queue never answers again.
   */
  flush(): Promise<void>
}

const paths: readonly string[] = (process.env['PATH'] ?? '').split(delimiter)

/** The first folder that has all of the files. */
const folderWith = (folders: readonly string[], ...files: readonly string[]): string => {
  const folder = folders.find((each) => files.every((file) => existsSync(join(each, file))))
  if (folder !== undefined) return folder
  throw new ServerNotAvailable(`${files[0]} is not on this machine`, 'Install it (Debian: apt-get install rabbitmq-server)')
}

/** A folder that the environment names: it wins over the machine's own, and has to work. */
const folderOf = (variable: string, folders: readonly string[], ...files: readonly string[]): string | undefined => {
  const home = process.env[variable] ?? ''
  if (home === '') return undefined
  const folder = folders.map((each) => join(home, each)).find((each) => files.every((file) => existsSync(join(each, file))))
  if (folder !== undefined) return folder
  throw new WrongEnvironment(`${variable} is ${home}, which has no ${files[0]} in ${folders.join(' or ')}: give the folder that has it`)
}

/**
 * The folder with RabbitMQ's scripts: that of `RABBITMQ_HOME`, else that of the machine. Debian has others of the same names in /usr/sbin,
 * which change the user and the environment for the broker of the machine.
 */
export const findScripts = (): string =>
  folderOf('RABBITMQ_HOME', ['sbin', 'bin'], 'rabbitmq-server', 'rabbitmqctl') ??
  folderWith(['/usr/lib/rabbitmq/bin', ...paths], 'rabbitmq-server', 'rabbitmqctl')

/** The folder with the programs of Erlang that `ERLANG_HOME` names; `undefined`: those of the machine. */
const erlangFromEnvironment = (): string | undefined => folderOf('ERLANG_HOME', ['bin'], 'erl', 'epmd')

/** Resolves if a process listens at the port. */
const connected = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 })
    socket.once('connect', () => resolve(socket.destroy() && undefined))
    socket.once('timeout', () => socket.destroy(new Error('no answer')))
    socket.once('error', reject)
  })

/** The configuration of a listener for TLS. */
const tlsLines = (folder: string, port: number): readonly string[] => [
  `listeners.ssl.1 = 127.0.0.1:${port}`,
  `ssl_options.cacertfile = ${folder}/tls-ca.pem`,
  `ssl_options.certfile = ${folder}/tls-cert.pem`,
  `ssl_options.keyfile = ${folder}/tls-key.pem`,
  'ssl_options.verify = verify_peer',
  'ssl_options.fail_if_no_peer_cert = true',
]

/**
 * Starts an empty RabbitMQ in some 5 s. It has its own data, node name, ports and cookie, and its own port mapper of Erlang, since a shared
 * one would outlive it. It ends with this process, however that ends.
 *
 * @throws {@link ServerNotAvailable} where RabbitMQ is not installed.
 */
export const startRabbitmq = async ({ say, name, port: wanted, tls, config = {} }: StartRabbitmqOptions): Promise<RabbitmqProcess> => {
  const scripts = findScripts()
  const erlang = erlangFromEnvironment()
  const folder = await openDataFolder(`rabbitmq-${name}`)
  const port = wanted ?? (await freePort())
  const mapperPort = await freePort()
  const env: NodeJS.ProcessEnv = {
    ...Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('RABBITMQ_') && !key.startsWith('ERL_'))),
    HOME: folder,
    PATH: [...(erlang === undefined ? [] : [erlang]), ...paths].join(delimiter),
    // rabbitmqctl warns about any other encoding.
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    ERL_EPMD_PORT: String(mapperPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_GENERATED_CONFIG_DIR: join(folder, 'generated'),
    RABBITMQ_NODENAME: `taskledger-${port}@localhost`,
    RABBITMQ_DIST_PORT: String(await freePort()),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    // The script then becomes the server instead of starting it as a child: a kill reaches the server itself.
    RUNNING_UNDER_SYSTEMD: 'true',
  }
  const tlsPort = tls === undefined ? undefined : await freePort()
  const configuration = [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    'disk_free_limit.absolute = 50MB',
    ...(tlsPort === undefined ? [] : tlsLines(folder, tlsPort)),
    ...Object.entries(config).map(([key, value]) => `${key} = ${value}`),
  ]
  if (tls !== undefined)
    await Promise.all((['ca', 'cert', 'key'] as const).map((name) => writeFile(join(folder, `tls-${name}.pem`), tls[name])))
  await writeFile(join(folder, 'rabbitmq.conf'), `${configuration.join('\n')}\n`)
  await writeFile(join(folder, 'enabled_plugins'), '[].\n')

  const url = `amqp://guest:guest@127.0.0.1:${port}`
  const mapper = new OwnProcess({
    what: 'epmd, the port mapper of Erlang,',
    command: join(erlang ?? folderWith([...paths, '/usr/bin'], 'epmd'), 'epmd'),
    args: ['-port', String(mapperPort), '-address', '127.0.0.1'],
    env,
    cwd: folder,
    logFile: join(folder, 'epmd.log'),
    probe: () => connected(mapperPort),
    startTimeoutMs: 20_000,
  })
  const server = new OwnProcess({
    what: 'RabbitMQ',
    command: join(scripts, 'rabbitmq-server'),
    args: [],
    env,
    cwd: folder,
    logFile: join(folder, 'output.log'),
    probe: () => probeRabbitmq(url, 5_000),
    startTimeoutMs: 120_000,
  })
  const started = await startEngine({
    say,
    title: `RabbitMQ on 127.0.0.1:${port}`,
    usualSeconds: 5,
    processes: [mapper, server],
    folder,
    endpoint: () => probeRabbitmq(url, 5_000),
  })
  const ctl = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run(join(scripts, 'rabbitmqctl'), ['--quiet', ...args], { cwd: folder, env, timeout: 60_000 })
    return stdout
  }
  return Object.assign(started, {
    ctl,
    tlsPort,
    flush: async () => {
      await ctl('eval', '[ok = dets:sync(Table) || Table <- dets:all()].')
    },
  })
}
