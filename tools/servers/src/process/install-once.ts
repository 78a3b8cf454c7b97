import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from './data-folder.ts'

const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))

/** Takes the lock; false where another living process has it. */
const takeLock = async (lock: string): Promise<boolean> => {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
  const holder = await readFile(lock, 'utf8').catch(() => '')
  // An empty lock is being written, or was just removed.
  if (holder !== '' && !isAlive(Number(holder))) await rm(lock, { force: true })
  return false
}

/**
 * Fills a folder that all runs share, once. The folder appears whole or not at all. One process fills it while the others wait. The lock
 * of a dead process is broken, so two may fill it after all: then the folder of the first one stays.
 */
export const installOnce = async (folder: string, fill: (draft: string) => Promise<void>): Promise<void> => {
  const lock = `${folder}.lock`
  const draft = `${folder}.${process.pid}`
  await mkdir(dirname(folder), { recursive: true })
  while (!existsSync(folder)) {
    if (!(await takeLock(lock))) {
      await sleep(300)
      continue
    }
    try {
      if (existsSync(folder)) return
      await fill(draft)
      await rename(draft, folder)
    } catch (error) {
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error
    } finally {
      await rm(draft, { recursive: true, force: true })
      await rm(lock, { force: true })
    }
  }
}
