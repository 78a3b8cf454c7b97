import { spawn } from 'node:child_process'
import process from 'node:process'

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
  return { release: () => shell.stdin.end('released\n') }
}

/** Sends a signal to a group of processes, if it is still there. */
export const signalGroup = (group: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-group, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
