import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { openIndex } from '../../src/index/open-index.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reindex-'))
  return () => rmSync(folder, { recursive: true })
})

const writer = new URL('writer.ts', import.meta.url)
const holder = new URL('holder.ts', import.meta.url)

const start = async (program: URL, ...args: readonly string[]): Promise<ChildProcess> => {
  const child = fork(fileURLToPath(program), args, { execArgv: [] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'message')
  return child
}

describe('several processes', { timeout: 60_000 }, () => {
  it('create the index at the same moment, and write to it together', async () => {
    const names = ['a', 'b', 'c', 'd']
    const writers = await Promise.all(names.map((name) => start(writer, folder, name, '20')))
    const outcomes = writers.map((child) => once(child, 'message'))
    const ends = writers.map((child) => once(child, 'exit'))
    for (const child of writers) child.send('go')
    expect(await Promise.all(outcomes)).toEqual(names.map(() => expect.arrayContaining(['written'])))
    await Promise.all(ends)
    using index = openIndex(folder)
    expect(index.size).toBe(80)
  })

  it('wait for a process that creates the index, although SQLite itself would refuse at once', async () => {
    await start(holder, join(folder, 'index.db'))
    using index = openIndex(folder)
    expect(index.size).toBe(0)
  })
})
