import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore, TaskId } from '@taskledger/core/ports'
import { fileEventStore } from '@taskledger/example-custom-adapter'
import { onTestFinished } from 'vitest'

/** A folder for one test, with any number of stores on it. */
export const testFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'taskledger-files-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const openStore = async (): Promise<EventStore> => {
    const store = await fileEventStore({ folder })
    onTestFinished(() => store.close())
    return store
  }
  const fileOf = (taskId: TaskId): string => join(folder, `${taskId}.history`)
  return { folder, openStore, fileOf }
}
