import { execFileSync } from 'node:child_process'

/** The state of a process by ps: empty when it is gone, Z until its parent has noticed. */
export const stateOf = (pid: number): string => {
  try {
    return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
}

export const isRunning = (pid: number): boolean => !['', 'Z'].includes(stateOf(pid).slice(0, 1))
