import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../servers/src/process/ports.ts'
import { run } from '../run.ts'

/** A registry on this machine for one rehearsal. Disposing of it ends its process. */
export interface Registry extends AsyncDisposable {
  readonly url: string
  /** The environment in which npm and pnpm know this registry and no other. */
  readonly env: NodeJS.ProcessEnv
}

/** The environment without any setting of npm and pnpm. A script of npm passes on settings that name another registry. */
const withoutSettings = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^p?npm_config_/i.test(name)))

/** Waits until the registry answers. */
const untilReady = async (url: string, signal: AbortSignal): Promise<void> => {
  for (;;) {
    const response = await fetch(`${url}-/ping`, { signal }).catch(() => undefined)
    if (response?.ok === true) return
    signal.throwIfAborted()
    await sleep(100, undefined, { signal })
  }
}

/** Makes a user who may publish, and resolves with the user's token. */
const makeUser = async (url: string, signal: AbortSignal): Promise<string> => {
  const response = await fetch(`${url}-/user/org.couchdb.user:rehearsal`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'rehearsal', password: 'a rehearsal' }),
    signal,
  })
  return ((await response.json()) as { readonly token: string }).token
}

/**
 * Installs verdaccio into `folder`, starts it there on a free port, and resolves when it answers. Packages of the scope `@taskledger` are
 * only what is published to it; all others come from the registry that npm is set to. It is no dependency of the workspace, since its
 * 320 packages would be part of each install.
 */
export const startRegistry = async (folder: string, version: string, signal: AbortSignal): Promise<Registry> => {
  await mkdir(folder)
  // A dependency names a dist-tag of node-fetch, which not every mirror of a registry has.
  const manifest = { private: true, dependencies: { verdaccio: version }, overrides: { 'node-fetch': '2.7.0' } }
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], folder, { signal })

  const port = await freePort()
  const url = `http://127.0.0.1:${port}/`
  const upstream = (await run('npm', ['config', 'get', 'registry'], folder, { signal })).trim()
  const authorities = (await run('npm', ['config', 'get', 'cafile'], folder, { signal })).trim()
  const config = {
    storage: join(folder, 'storage'),
    auth: { htpasswd: { file: join(folder, 'users') } },
    uplinks: { upstream: { url: upstream } },
    packages: {
      '@taskledger/*': { access: '$all', publish: 'rehearsal' },
      '**': { access: '$all', proxy: 'upstream' },
    },
    web: { enable: false },
    log: { type: 'stdout', format: 'json', level: 'warn' },
  }
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))

  const logFile = join(folder, 'log')
  const log = createWriteStream(logFile)
  await once(log, 'open')
  const child = spawn(
    process.execPath,
    [join(folder, 'node_modules/verdaccio/bin/verdaccio'), '--config', join(folder, 'config.json'), '--listen', `127.0.0.1:${port}`],
    {
      cwd: folder,
      env: authorities === 'null' ? process.env : { ...process.env, NODE_EXTRA_CA_CERTS: authorities },
      stdio: ['ignore', log, log],
    },
  )
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.kill()
    await ended
    log.close()
  }
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(60_000)])
    const isUp = await Promise.race([untilReady(url, limit).then(() => true), ended.then(() => false)])
    if (!isUp) throw new Error(`the registry ended: ${await readFile(logFile, 'utf8')}`)
    const settings = join(folder, 'npmrc')
    await writeFile(settings, `registry=${url}\n//127.0.0.1:${port}/:_authToken=${await makeUser(url, limit)}\n`)
    const env = {
      ...withoutSettings(),
      NPM_CONFIG_USERCONFIG: settings,
      NPM_CONFIG_GLOBALCONFIG: join(folder, 'no-npmrc'),
      NPM_CONFIG_CACHE: join(folder, 'cache'),
      XDG_CACHE_HOME: join(folder, 'cache'),
      NO_PROXY: '127.0.0.1',
      no_proxy: '127.0.0.1',
    }
    return { url, env, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}
