import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { expect, test, vi } from 'vitest'
import { isRunning } from './states.ts'

test.for([
  ['in order', 1],
  ['at once', 1],
  ['stuck', 2],
] as const)('a program that ends %s after Ctrl-C leaves neither its server nor its data: %i signals', async ([how, signals]) => {
  const program = spawn(process.execPath, [join(import.meta.dirname, 'program.ts'), how], { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(program, 'exit')
  const lines = createInterface(program.stdout)[Symbol.asyncIterator]()
  const { folder, pid } = JSON.parse((await lines.next()).value ?? '') as { folder: string; pid: number }
  expect(existsSync(folder)).toBe(true)
  program.kill('SIGINT')
  if (signals === 2) {
    expect((await lines.next()).value).toBe('stopping')
    program.kill('SIGINT')
  }
  expect(await gone).toEqual([130, null])
  expect(existsSync(dirname(folder))).toBe(false)
  await vi.waitUntil(() => !isRunning(pid), { timeout: 10_000 })
})
