import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventStore } from '@taskledger/core/ports'
import { fileEventStore } from '@taskledger/example-custom-adapter'
import type { Harness } from '@taskledger/test-kit'
import { historyIn, lineOf } from '../src/history-file.ts'

// There are no faults: no connection that could be cut, and no engine to restart. What a crash does to a file is the matter
// of crash.test.ts.
export const fileEventStoreHarness: Harness<EventStore> = {
  name: 'files',
  // A file is read whole, and the folder too: there are no pages.
  pageRows: 50,
  open: async ({ namespace }) => {
    const folder = await mkdtemp(join(tmpdir(), `taskledger-${namespace}-`))
    const fileOf = (taskId: string): string => join(folder, `${taskId}.history`)
    const contentOf = (taskId: string): Promise<string> => readFile(fileOf(taskId), 'utf8').catch(() => '')
    const port = await fileEventStore({ folder })
    return {
      port,
      peer: () => fileEventStore({ folder }),
      inject: async (bytes, taskId) => {
        const { length } = historyIn(await contentOf(taskId))
        // A line of its own, and whole: what is not whole is no row here, but the rest of an append that never was.
        const row = new TextDecoder().decode(bytes).replaceAll(/\s/g, ' ')
        await appendFile(fileOf(taskId), lineOf(length, [row]))
      },
      inspect: () => folder,
      [Symbol.asyncDispose]: async () => {
        await port.close()
        await rm(folder, { recursive: true, force: true })
      },
    }
  },
}
