import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeEach, expect, it, vi } from 'vitest'
import { main } from '../src/cli.ts'

let folder: string
let output: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cluster-cli-'))
  output = ''
  vi.stubEnv('TMPDIR', folder)
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => Boolean((output += String(text))))
  return () => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true })
  }
})

it.each([
  [['--help'], 0, /Usage: npm run cluster -- \[options\] \[paths\.\.\.\]/],
  [['--bogus'], 2, /unknown option '--bogus'/],
  [['--pace', 'fast'], 2, /Give a whole number of milliseconds, 0 or more/],
  [['/nowhere'], 2, /^\/nowhere: there is no such file or folder\n$/],
])('%j ends with exit code %i, without a stack', async (args, code, words) => {
  expect(await main(args)).toBe(code)
  expect(output).toMatch(words)
})

it('a run that cannot start leaves no folder behind, and its log does no harm', async () => {
  expect(await main(['/nowhere'])).toBe(2)
  await nextTurn()
  expect(readdirSync(folder)).toEqual([])
})
