import { mkdir, readdir, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'

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

/** Removes the folders of processes that were killed. */
const removeStale = async (): Promise<void> => {
  for (const run of await readdir(runsFolder)) {
    if (!isAlive(Number.parseInt(run))) await rm(join(runsFolder, run), { recursive: true, force: true })
  }
}

let started = 0
let tidied: Promise<void> | undefined

/** Makes a new, empty folder for a server of this process. `removeDataFolder` removes it. */
export const openDataFolder = async (name: string): Promise<string> => {
  const folder = join(runsFolder, String(process.pid), `${++started}-${name}`)
  await mkdir(folder, { recursive: true })
  tidied ??= removeStale()
  await tidied
  return folder
}

export const removeDataFolder = async (folder: string): Promise<void> => {
  await rm(folder, { recursive: true, force: true })
  try {
    await rmdir(dirname(folder))
  } catch {
    // Other servers of this process still have folders there, or the next run removes it.
  }
}
