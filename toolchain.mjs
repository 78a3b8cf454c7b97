/**
 * Runs the workspace on any machine that has Node 20 or newer and npm: `node toolchain.mjs verify`, `… demo ARGS`, `… SCRIPT ARGS`.
 * Uses this machine's Node and pnpm where they fit `devEngines`, and lets npm fetch what is missing; installs the dependencies; then
 * gets out of the way. Plain JavaScript without dependencies, since nothing is installed when it starts. It speaks on stderr.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('.', import.meta.url))
const { devEngines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const onWindows = process.platform === 'win32'
const say = (text) => process.stderr.write(`${text}\n`)
/** How long what is fetched takes is worth saying as long as nothing was installed here. */
const duration = existsSync(join(root, 'node_modules')) ? '' : ' The first time takes about 20 s.'

/** Whether a version fits a range of the forms `^24.11.0` and `>=26.0.0`, joined by `||`. */
const fits = (version, range) => {
  const [major, minor] = version.trim().replace(/^v/, '').split('.').map(Number)
  return range.split('||').some((part) => {
    const [, operator, leastMajor, leastMinor] = /^\s*(\^|>=)(\d+)\.(\d+)/.exec(part).map((value, at) => (at < 2 ? value : Number(value)))
    return (major === leastMajor && minor >= leastMinor) || (operator === '>=' && major > leastMajor)
  })
}

/** Runs a command out of sight and resolves with its exit status and what it printed. */
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

/** Says that a captured command is still at work, and ends the process with what it printed where it fails. */
const patiently = async (what, promise) => {
  const startedAt = Date.now()
  const beat = setInterval(() => say(`… still ${what}, ${Math.round((Date.now() - startedAt) / 1000)} s`), 10_000)
  const { status, stdout, stderr } = await promise
  clearInterval(beat)
  if (status === 0) return stdout
  say(`${stdout}${stderr}\n${what} failed. CONTRIBUTING.md says what to install by hand.`)
  process.exit(1)
}

/** The environment in which `node` and `pnpm` are the right ones, and the path of that Node. */
const provide = async () => {
  const { runtime, packageManager } = devEngines
  const pnpm = await capture('pnpm', ['--version'])
  const missing = []
  if (!fits(process.version, runtime.version)) missing.push(`node@${/\d+/.exec(runtime.version)[0]}`)
  if (pnpm.status !== 0 || !fits(pnpm.stdout, packageManager.version)) missing.push(`pnpm@${/\d+/.exec(packageManager.version)[0]}`)
  if (missing.length === 0) return { node: process.execPath, env: process.env }

  const has = `Node ${process.version.slice(1)} and ${pnpm.status === 0 ? `pnpm ${pnpm.stdout.trim()}` : 'no pnpm'}`
  say(`This machine has ${has}; npm brings ${missing.join(' and ')} into its own cache.${duration}`)
  const npm = await capture('npm', ['--version'])
  // npm 12 skips the install script by which the package `node` gets its binary, unless it is allowed; npm 11 stops at the option.
  const allowed = Number.parseInt(npm.stdout) >= 12 ? [`--allow-scripts=${missing.map((each) => each.split('@')[0]).join(',')}`] : []
  const packages = missing.map((each) => `--package=${each}`)
  const print = 'process.stdout.write([process.version,process.execPath,process.env.PATH].join(String.fromCharCode(10)))'
  const args = ['exec', '--yes', '--loglevel=error', ...allowed, ...packages, '--', 'node', '-e', onWindows ? `"${print}"` : print]
  const [version, node, PATH] = (await patiently(`fetching ${missing.join(' and ')}`, capture('npm', args))).split('\n')
  if (!fits(version, runtime.version)) {
    say(`npm brought Node ${version}, but ${runtime.version} is needed. CONTRIBUTING.md says what to install by hand.`)
    process.exit(1)
  }
  return { node, env: { ...process.env, PATH } }
}

/** pnpm itself finds in milliseconds that there is nothing to do. */
const install = async (env) => {
  const notice = setTimeout(() => say(`Installing the dependencies with pnpm.${duration}`), 500)
  await patiently('installing', capture('pnpm', ['install', ...(process.env.CI ? ['--frozen-lockfile'] : [])], env))
  clearTimeout(notice)
}

/**
 * Hands the terminal to a program and ends as it ends. Each signal reaches the program once: a terminal sends Ctrl-C to all of
 * its processes, npm passes on what it receives, and this process may get both. The shell between npm and this process passes
 * nothing on: where it was terminated, it is gone.
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

/** The scripts that are programs of their own, by their folders. */
const programs = { demo: 'examples/reindex', cluster: 'examples/cluster', chaos: 'verification/chaos' }

const [script, ...args] = process.argv.slice(2)
if (script === undefined) {
  say('Usage: node toolchain.mjs verify | demo [ARGS] | SCRIPT [ARGS], where SCRIPT is one of those in package.json')
  process.exit(2)
}
if (script === 'verify') say('Types, lint, formatting, tests and packages: five to seven minutes on two cores, after the first download.')
const { node, env } = await provide()
await install(env)
// The tests run the packages on this Node too where it is an older one.
const childEnv = { ...env, TASKLEDGER_OWN_NODE: process.execPath }
if (script === 'verify') become(node, [join(root, 'tools/verify.ts'), ...args], { cwd: root, env: childEnv })
// Paths on the command line are meant from where the user stands, not from where npm went.
else if (script in programs)
  become(node, [join(root, programs[script], 'src/main.ts'), ...args], { cwd: process.env.INIT_CWD ?? process.cwd(), env: childEnv })
else become('pnpm', ['run', script, ...args], { cwd: root, env: childEnv, shell: onWindows })
