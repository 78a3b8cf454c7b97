/**
 * Runs the workspace on any machine that has Node 20 or newer and npm: `node toolchain.mjs verify`, `… demo ARGS`, `… SCRIPT ARGS`.
 * Uses this machine's Node and pnpm if they fit `devEngines` in package.json; otherwise npm fetches the versions under `toolchain` there.
 * Then it installs the dependencies and runs the program. It is plain JavaScript without dependencies, since nothing is installed when it
 * starts, and prints its messages on stderr.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('.', import.meta.url))
const { devEngines, toolchain } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const onWindows = process.platform === 'win32'
const say = (text) => process.stderr.write(`${text}\n`)
/** Only the first run takes long enough to mention. */
const duration = existsSync(join(root, 'node_modules')) ? '' : ' The first time takes about 20 s.'

/** Whether a version fits a range of the forms `^24.11.0` and `>=26.0.0`, joined by `||`. */
const fits = (version, range) => {
  const [major, minor] = version.trim().replace(/^v/, '').split('.').map(Number)
  return range.split('||').some((part) => {
    const [, operator, minMajor, minMinor] = /^\s*(\^|>=)(\d+)\.(\d+)/.exec(part).map((value, at) => (at < 2 ? value : Number(value)))
    return (major === minMajor && minor >= minMinor) || (operator === '>=' && major > minMajor)
  })
}

/** Runs a command without showing its output, and resolves with its exit status and its output. */
const capture = (command, args, env = process.env) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], shell: onWindows })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.once('error', (error) => resolve({ status: 127, stdout, stderr: error.message }))
    child.once('close', (status) => resolve({ status, stdout, stderr }))
  })

/** Waits for a captured command and reports every 10 s that it still runs. If the command fails, prints its output and exits. */
const patiently = async (what, promise) => {
  const startedAt = Date.now()
  const notice = setInterval(() => say(`… still ${what}, ${Math.round((Date.now() - startedAt) / 1000)} s`), 10_000)
  const { status, stdout, stderr } = await promise
  clearInterval(notice)
  if (status === 0) return stdout
  say(`${stdout}${stderr}\n${what} failed. CONTRIBUTING.md says how to install Node and pnpm by hand.`)
  process.exit(1)
}

/** Resolves with the path of a fitting Node, and the environment in which `node` and `pnpm` are the fitting ones. */
const provide = async () => {
  const { runtime, packageManager } = devEngines
  const pnpm = await capture('pnpm', ['--version'])
  const missing = []
  if (!fits(process.version, runtime.version)) missing.push(`node@${toolchain.node}`)
  if (pnpm.status !== 0 || !fits(pnpm.stdout, packageManager.version)) missing.push(`pnpm@${toolchain.pnpm}`)
  if (missing.length === 0) return { node: process.execPath, env: process.env }

  const has = `Node ${process.version.slice(1)} and ${pnpm.status === 0 ? `pnpm ${pnpm.stdout.trim()}` : 'no pnpm'}`
  say(`This machine has ${has}. npm fetches ${missing.join(' and ')} into its own cache.${duration}`)
  const npm = await capture('npm', ['--version'])
  // The package `node` gets its program by an install script. npm 12 skips it unless it is allowed; npm 11 does not know the option.
  const allowed = Number.parseInt(npm.stdout) >= 12 ? [`--allow-scripts=${missing.map((each) => each.split('@')[0]).join(',')}`] : []
  const packages = missing.map((each) => `--package=${each}`)
  const print = 'process.stdout.write([process.version,process.execPath,process.env.PATH].join(String.fromCharCode(10)))'
  const args = ['exec', '--yes', '--loglevel=error', ...allowed, ...packages, '--', 'node', '-e', onWindows ? `"${print}"` : print]
  const [version, node, PATH] = (await patiently(`fetching ${missing.join(' and ')}`, capture('npm', args))).split('\n')
  if (!fits(version, runtime.version)) {
    say(`npm fetched Node ${version}, but ${runtime.version} is needed. CONTRIBUTING.md says how to install Node and pnpm by hand.`)
    process.exit(1)
  }
  return { node, env: { ...process.env, PATH } }
}

/** Installs the dependencies. Where nothing is to do, pnpm finds that out in milliseconds. */
const install = async (env) => {
  const notice = setTimeout(() => say(`Installing the dependencies with pnpm.${duration}`), 500)
  await patiently('installing', capture('pnpm', ['install', ...(process.env.CI ? ['--frozen-lockfile'] : [])], env))
  clearTimeout(notice)
}

/**
 * Gives the terminal to a program and exits with the program's status. Each signal reaches the program once: a terminal sends Ctrl-C to
 * all of its processes, npm passes its signals on, and this process may get both. The shell between npm and this process passes no signal
 * on, so this process also watches whether that shell is gone.
 */
const become = (command, args, options) => {
  const terminalSignals = Boolean(process.stdin.isTTY)
  const child = spawn(command, args, { stdio: 'inherit', detached: !terminalSignals && !onWindows, ...options })
  child.once('error', (error) => {
    say(error.message)
    process.exit(127)
  })
  child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))

  const lastAt = {}
  const forward = (signal) => {
    const isEcho = Date.now() - lastAt[signal] < 1_000
    lastAt[signal] = Date.now()
    if (isEcho || (signal === 'SIGINT' && terminalSignals)) return
    if (terminalSignals || onWindows) child.kill(signal)
    else process.kill(-child.pid, signal)
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, forward)
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    forward('SIGTERM')
  }, 500)
}

/** The scripts that are programs: they get paths relative to the folder where the user is, not to the one where npm runs scripts. */
const programs = {
  verify: 'tools/verify.ts',
  pack: 'tools/publishing/pack.ts',
  rehearse: 'tools/rehearsal/main.ts',
  demo: 'examples/reindex/src/main.ts',
  cluster: 'examples/cluster/src/main.ts',
  chaos: 'verification/chaos/src/main.ts',
}

const [script, ...args] = process.argv.slice(2)
if (script === undefined) {
  say('Usage: node toolchain.mjs verify | pack [DIR] | demo [ARGS] | SCRIPT [ARGS], where SCRIPT is a script of package.json')
  process.exit(2)
}
if (script === 'verify') say('Types, lint, formatting, tests and packages: five to seven minutes on two cores, after the first download.')
const { node, env } = await provide()
await install(env)
// The tests also run the packages on the Node of this machine, if the packages support it.
const childEnv = { ...env, TASKLEDGER_OWN_NODE: process.execPath }
if (script in programs) become(node, [join(root, programs[script]), ...args], { cwd: process.env.INIT_CWD ?? process.cwd(), env: childEnv })
else become('pnpm', ['run', script, ...args], { cwd: root, env: childEnv, shell: onWindows })
