import { spawn } from 'node:child_process'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

/** The groups that are guarded. */
const guarded = new Set<number>()

/**
 * Ends a group of processes when this process ends, even by SIGKILL: the pipe to the guard then closes. The guard is a shell in a
 * session of its own, so that a Ctrl-C of the terminal does not reach it.
 */
export const guard = (group: number): { release(): void } => {
  const shell = spawn('sh', ['-c', 'read -r line; [ "$line" = released ] || kill -s KILL -- "-$1"', 'guard', String(group)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
  })
  // The guard was released, or something else ended it.
  shell.stdin.on('error', () => {})
  shell.unref()
  if ('unref' in shell.stdin) (shell.stdin as unknown as { unref(): void }).unref()
  guarded.add(group)
  return {
    release: () => {
      guarded.delete(group)
      shell.stdin.end('released\n')
    },
  }
}

/** Ends all groups that are guarded, now: this process exits. */
export const killGroups = (): void => {
  for (const group of guarded) signalGroup(group, 'SIGKILL')
}

/** Sends a signal to a group of processes, if it is still there. */
export const signalGroup = (group: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-group, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** How long the children of a killed process may take to go, in milliseconds. A child that nobody reaps stays for ever. */
const childrenMs = 2_000

/** Resolves once a group that was killed has no process left: until then its children may write. */
export const groupGone = async (group: number): Promise<void> => {
  const deadline = performance.now() + childrenMs
  while (hasProcess(group) && performance.now() < deadline) await sleep(10)
}

const hasProcess = (group: number): boolean => {
  try {
    return process.kill(-group, 0)
  } catch {
    return false
  }
}
