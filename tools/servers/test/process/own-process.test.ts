import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { OwnProcess } from '../../src/process/own-process.ts'
import { isRunning, stateOf } from './states.ts'

let scratch: string

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'taskledger-process-'))
})
afterEach(() => rm(scratch, { recursive: true, force: true }))

const shell = (script: string, probe: () => Promise<unknown>, startTimeoutMs = 20_000): OwnProcess =>
  new OwnProcess({
    what: 'Shell',
    command: 'sh',
    args: ['-c', script],
    env: process.env,
    cwd: scratch,
    logFile: join(scratch, 'log'),
    probe,
    startTimeoutMs,
  })
const answers = (): Promise<void> => Promise.resolve()

describe('a process of its own', () => {
  test('starts, pauses, continues, is killed and starts again', async () => {
    const own = shell('exec sleep 600', answers)
    await own.start()
    const { pid } = own
    own.signal('SIGSTOP')
    await vi.waitUntil(() => stateOf(pid).startsWith('T'))
    own.signal('SIGCONT')
    await vi.waitUntil(() => stateOf(pid).startsWith('S'))
    await expect(own.start()).rejects.toThrow('running already')

    await own.kill()
    expect(isRunning(pid)).toBe(false)
    await own.start()
    expect(own.pid).not.toBe(pid)
    own.signal('SIGSTOP')
    await own.kill()
    await own.kill()
    expect(own.isRunning).toBe(false)
  })

  test('takes its children along', async () => {
    const own = shell('sleep 600 & echo $! >draft; mv draft child; wait', () => readFile(join(scratch, 'child')))
    await own.start()
    const child = Number(await readFile(join(scratch, 'child'), 'utf8'))
    expect(isRunning(child)).toBe(true)
    await own.kill()
    await vi.waitUntil(() => !isRunning(child), { timeout: 10_000 })
    expect(isRunning(child)).toBe(false)
  })

  test('is an error with the end of its log if it ends during its start', async () => {
    const own = shell('echo out of order; exit 3', () => Promise.reject(new Error('refused')))
    await expect(own.start()).rejects.toThrow(/ended while it was starting\nout of order/)
  })

  test('is ended if it never answers, with an error that says why', async () => {
    const own = shell('exec sleep 600', () => Promise.reject(new Error('refused')), 300)
    await expect(own.start()).rejects.toThrow('Shell does not answer within 0.3 s: refused')
    expect(own.isRunning).toBe(false)
  })

  test('is an error if its command is missing', async () => {
    const own = new OwnProcess({
      what: 'Nothing',
      command: join(scratch, 'missing'),
      args: [],
      env: process.env,
      cwd: scratch,
      logFile: join(scratch, 'log'),
      probe: answers,
      startTimeoutMs: 1_000,
    })
    await expect(own.start()).rejects.toThrow('ENOENT')
  })

  test.for(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('ends with this process, when that gets %s', async (signal) => {
    const parent = spawn(process.execPath, [join(import.meta.dirname, 'parent.ts'), scratch], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    expect(isRunning(pid)).toBe(true)
    parent.kill(signal)
    await vi.waitUntil(() => !isRunning(pid), { timeout: 10_000 })
    expect(isRunning(pid)).toBe(false)
  })
})
