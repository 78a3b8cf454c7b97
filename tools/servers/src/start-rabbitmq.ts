import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { askRabbitmq } from './ask-rabbitmq.ts'
import { ServerNotAvailable } from './errors.ts'
import { OwnProcess } from './own-process.ts'
import { freePort } from './ports.ts'
import { openDataFolder, removeDataFolder } from './project-folder.ts'
import type { AmqpEndpoint, EngineProcess, Say } from './types.ts'

const run = promisify(execFile)

export interface StartRabbitmqOptions {
  readonly say: Say
  /** What it is for, in a word: part of the name of its folder. */
  readonly name: string
  /** Where it listens on 127.0.0.1. Default: a free port. */
  readonly port?: number
}

/** A broker that was started here, and that may be administrated. */
export interface RabbitmqProcess extends EngineProcess<AmqpEndpoint> {
  /** Runs rabbitmqctl on it and gives its output: `ctl('add_vhost', 'one')`. Rejects where rabbitmqctl does. About a second. */
  ctl(...args: readonly string[]): Promise<string>
  /**
   * Has written what the broker writes late, so that it may be killed: RabbitMQ 3.10 notes a new quorum queue up to two seconds
   * after it was declared. Killed before, it finds the queue's data no more, and the queue never answers again.
   */
  flush(): Promise<void>
}

const paths: readonly string[] = (process.env['PATH'] ?? '').split(delimiter)

/** The first of the folders that has all of the files. */
const folderWith = (folders: readonly string[], ...files: readonly string[]): string => {
  const folder = folders.find((each) => files.every((file) => existsSync(join(each, file))))
  if (folder !== undefined) return folder
  throw new ServerNotAvailable(`${files[0]} is not on this machine`, 'Install it (Debian: apt-get install rabbitmq-server)')
}

/**
 * The folder with RabbitMQ's scripts. Debian's /usr/sbin has others, by the same names: they change the user and the
 * environment, for the broker of the machine.
 */
const findScripts = (): string => folderWith(['/usr/lib/rabbitmq/bin', ...paths], 'rabbitmq-server', 'rabbitmqctl')

/** Resolves where somebody listens. */
const knock = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 })
    socket.once('connect', () => resolve(socket.destroy() && undefined))
    socket.once('timeout', () => socket.destroy(new Error('no answer')))
    socket.once('error', reject)
  })

/**
 * Starts a RabbitMQ, empty, with all that it has of its own: data, node name, ports, cookie, and the port mapper of Erlang, which
 * would otherwise stay behind. Some 5 s. It ends with this process, however that ends.
 *
 * @throws {@link ServerNotAvailable} where RabbitMQ is not installed.
 */
export const startRabbitmq = async ({ say, name, port: wanted }: StartRabbitmqOptions): Promise<RabbitmqProcess> => {
  const scripts = findScripts()
  const folder = await openDataFolder(`rabbitmq-${name}`)
  const port = wanted ?? (await freePort())
  const mapperPort = await freePort()
  const env: NodeJS.ProcessEnv = {
    ...Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('RABBITMQ_') && !key.startsWith('ERL_'))),
    HOME: folder,
    // The tool that reads it warns where it is not UTF-8.
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
    // The script then becomes the server, and does not wait for it: the process that is killed is the one that matters.
    RUNNING_UNDER_SYSTEMD: 'true',
  }
  await writeFile(join(folder, 'rabbitmq.conf'), `listeners.tcp.1 = 127.0.0.1:${port}\ndisk_free_limit.absolute = 50MB\n`)
  await writeFile(join(folder, 'enabled_plugins'), '[].\n')

  const url = `amqp://guest:guest@127.0.0.1:${port}`
  const mapper = new OwnProcess({
    what: 'epmd, the port mapper of Erlang,',
    command: join(folderWith([...paths, '/usr/bin'], 'epmd'), 'epmd'),
    args: ['-port', String(mapperPort), '-address', '127.0.0.1'],
    env,
    cwd: folder,
    logFile: join(folder, 'epmd.log'),
    ask: () => knock(mapperPort),
    startTimeoutMs: 20_000,
  })
  const server = new OwnProcess({
    what: 'RabbitMQ',
    command: join(scripts, 'rabbitmq-server'),
    args: [],
    env,
    cwd: folder,
    logFile: join(folder, 'output.log'),
    ask: () => askRabbitmq(url, 5_000),
    startTimeoutMs: 120_000,
  })
  const stop = async (): Promise<void> => {
    await server.kill()
    await mapper.kill()
    await removeDataFolder(folder)
  }
  const startedAt = performance.now()
  say(`Starting RabbitMQ on port ${port}, some 5 s`)
  let endpoint: AmqpEndpoint
  try {
    await mapper.start()
    await server.start()
    endpoint = await askRabbitmq(url, 5_000)
  } catch (error) {
    await stop()
    throw error
  }
  say(`RabbitMQ answers after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  const ctl = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run(join(scripts, 'rabbitmqctl'), ['--quiet', ...args], { cwd: folder, env, timeout: 60_000 })
    return stdout
  }
  return {
    endpoint,
    origin: 'started',
    get pid() {
      return server.pid
    },
    kill: () => server.kill(),
    start: () => server.start(),
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    stop,
    ctl,
    flush: async () => {
      await ctl('eval', '[ok = dets:sync(Table) || Table <- dets:all()].')
    },
  }
}
