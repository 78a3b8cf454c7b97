import { rmSync } from 'node:fs'
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { killGroups } from './guard.ts'

/** Programs and data of servers, in the repository and ignored by git: `.servers/`. */
export const serversFolder: string = join(import.meta.dirname, '../../../../.servers')

/** Holds a folder for each running process, named by its id. */
const runsFolder: string = join(serversFolder, 'runs')

/** Whether a process exists, of any user. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** A process that has just been killed may still write while its folder is removed. */
const removal = { recursive: true, force: true, maxRetries: 20, retryDelay: 25 } as const

/** Removes the folders of processes that were killed. */
const removeStale = async (): Promise<void> => {
  for (const run of await readdir(runsFolder)) {
    if (!isAlive(Number.parseInt(run))) await rm(join(runsFolder, run), removal)
  }
}

/** The process exits without having stopped its servers. */
const exited = (): void => {
  killGroups()
  try {
    rmSync(join(runsFolder, String(process.pid)), removal)
  } catch {
    // The next run removes it.
  }
}

let started = 0
let tidied: Promise<void> | undefined

/** Makes a new, empty folder for a server of this process. `removeDataFolder` removes it, or the exit of this process. */
export const openDataFolder = async (name: string): Promise<string> => {
  const folder = join(runsFolder, String(process.pid), `${++started}-${name}`)
  if (started === 1) process.once('exit', exited)
  await mkdir(folder, { recursive: true })
  tidied ??= removeStale()
  await tidied
  return folder
}

export const removeDataFolder = async (folder: string): Promise<void> => {
  await rm(folder, removal)
  try {
    await rmdir(dirname(folder))
  } catch {
    // Other servers of this process still have folders there, or the next run removes it.
  }
}
