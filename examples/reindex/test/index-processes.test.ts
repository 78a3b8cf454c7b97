import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { openIndex } from '../src/index/open-index.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reindex-'))
  return () => rmSync(folder, { recursive: true })
})

const start = async (program: string, ...args: readonly string[]): Promise<ChildProcess> => {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), args, { execArgv: [] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'message')
  return child
}

describe('several processes', { timeout: 60_000 }, () => {
  it('make the index at the same moment, and write to it together: each has its turn', async () => {
    const names = ['a', 'b', 'c', 'd']
    const writers = await Promise.all(names.map((name) => start('index-writer.ts', folder, name, '20')))
    const outcomes = writers.map((writer) => once(writer, 'message'))
    const ends = writers.map((writer) => once(writer, 'exit'))
    for (const writer of writers) writer.send('go')
    expect(await Promise.all(outcomes)).toEqual(names.map(() => expect.arrayContaining(['written'])))
    await Promise.all(ends)
    using index = openIndex(folder)
    expect(index.size).toBe(80)
  })

  it('wait for one that makes the index, where SQLite itself would refuse at once', async () => {
    await start('index-holder.ts', join(folder, 'index.db'))
    using index = openIndex(folder)
    expect(index.size).toBe(0)
  })
})
