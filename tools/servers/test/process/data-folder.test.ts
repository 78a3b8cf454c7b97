import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { expect, test } from 'vitest'
import { openDataFolder, removeDataFolder, serversFolder } from '../../src/process/data-folder.ts'

test('the folder of a process that is gone is removed by the next run; the folders of living processes stay', async () => {
  const left = join(serversFolder, 'runs', String(spawnSync('true').pid), '1-cassandra-shared')
  await mkdir(left, { recursive: true })

  const folder = await openDataFolder('one')
  const other = await openDataFolder('one')
  expect(existsSync(dirname(left))).toBe(false)
  expect(folder).not.toBe(other)
  expect(folder).toContain(join('runs', String(process.pid)))
  expect(await readdir(folder)).toEqual([])

  await removeDataFolder(folder)
  expect(existsSync(other)).toBe(true)
  await removeDataFolder(other)
  expect(existsSync(dirname(other))).toBe(false)
})
