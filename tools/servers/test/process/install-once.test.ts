import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { installOnce } from '../../src/process/install-once.ts'

let scratch: string

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'taskledger-install-'))
})
afterEach(() => rm(scratch, { recursive: true, force: true }))

test('of several at once one fills the folder, and none sees it half full', async () => {
  const folder = join(scratch, 'jars')
  let fills = 0
  const fill = async (draft: string): Promise<void> => {
    fills++
    await mkdir(draft)
    await writeFile(join(draft, 'one'), '1')
    await writeFile(join(draft, 'two'), '2')
  }
  const seen = await Promise.all(
    [1, 2, 3].map(async () => {
      await installOnce(folder, fill)
      return readdir(folder)
    }),
  )
  expect(seen).toEqual([
    ['one', 'two'],
    ['one', 'two'],
    ['one', 'two'],
  ])
  expect(fills).toBe(1)
  expect(await readdir(scratch)).toEqual(['jars'])
})

test('a fill that fails leaves nothing behind, and the next one may try', async () => {
  const folder = join(scratch, 'jars')
  const failing = async (draft: string): Promise<void> => {
    await mkdir(draft)
    throw new Error('no network')
  }
  await expect(installOnce(folder, failing)).rejects.toThrow('no network')
  expect(await readdir(scratch)).toEqual([])
  await installOnce(folder, async (draft) => {
    await mkdir(draft)
    await writeFile(join(draft, 'one'), '1')
  })
  expect(await readFile(join(folder, 'one'), 'utf8')).toBe('1')
})

test('the lock of a process that is gone is broken', async () => {
  const folder = join(scratch, 'jars')
  const gone = spawnSync('true').pid
  await writeFile(`${folder}.lock`, String(gone))
  await installOnce(folder, async (draft) => {
    await mkdir(draft)
  })
  expect(await readdir(scratch)).toEqual(['jars'])
})
