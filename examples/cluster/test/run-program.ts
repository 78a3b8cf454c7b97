import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { environmentOf } from '@taskledger/servers'
import type { Servers } from '@taskledger/servers'

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** The program in a process of its own, and its output so far. */
export interface Running {
  readonly child: ChildProcess
  readonly stdout: string
  readonly stderr: string
  /** The exit code, once the process and its streams are closed. */
  readonly ended: Promise<number | null>
}

/** Runs `npm run cluster -- ARGS` without npm, on the servers of the test run. Its files are in a folder that the test removes. */
export const launch = (servers: Servers, scratch: string, ...args: readonly string[]): Running => {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, NO_COLOR: '1', TMPDIR: scratch, ...environmentOf(servers) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = Promise.withResolvers<number | null>()
  const running = { child, stdout: '', stderr: '', ended: ended.promise }
  child.stdout.on('data', (chunk) => (running.stdout += chunk))
  child.stderr.on('data', (chunk) => (running.stderr += chunk))
  child.once('error', ended.reject)
  child.once('close', ended.resolve)
  return running
}

/** The processes of its workers, by its output. */
export const workersOf = ({ stdout }: Running): readonly number[] => [
  ...new Set([...stdout.matchAll(/worker-\d+, process (\d+)/g)].map(([, pid]) => Number(pid))),
]

/** The keyspace of the run, which is also its prefix. */
export const keyspaceOf = ({ stdout }: Running): string => /(\S+) is the keyspace of this run/.exec(stdout)?.[1] ?? ''

/** Whether a process exists. */
export const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
