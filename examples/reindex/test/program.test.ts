import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { main } from '../src/cli.ts'
import { mails, mbox, write } from './mail-on-disk.ts'

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const launch = (...args: readonly string[]): ChildProcessWithoutNullStreams =>
  spawn(process.execPath, [program, ...args], { cwd: folder, env: { ...process.env, NO_COLOR: '1' } })

const outcomeOf = async (child: ChildProcessWithoutNullStreams): Promise<Outcome> => {
  const outcome = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => (outcome.stdout += chunk))
  child.stderr.on('data', (chunk) => (outcome.stderr += chunk))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, ...outcome }
}

/** As a process of its own. */
const run = (...args: readonly string[]): Promise<Outcome> => outcomeOf(launch(...args))

/** In this process, which is faster. */
const call = async (...args: readonly string[]): Promise<Outcome> => {
  const outcome = { stdout: '', stderr: '' }
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((outcome.stdout += String(text))))
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((outcome.stderr += String(text))))
  try {
    const code = await main(args)
    return { code, ...outcome }
  } finally {
    stdout.mockRestore()
    stderr.mockRestore()
  }
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reindex-'))
  write(folder, { 'mail/inbox.mbox': mbox(...mails(3)), 'mail/bad.mbox': 'no mail\n', 'mail/long.mbox': mbox(...mails(8_000)) })
})
afterAll(() => rmSync(folder, { recursive: true }))

const timeout = 60_000

describe('the program, without a terminal', { timeout }, () => {
  it('reindexes its own mail, with a second attempt and broken messages; then knows all of it, and finds it', async () => {
    const first = await run('--pace', '0')
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toContain('mailboxes/club.mbox: done: 6 messages, 6 new, 0 known, 0 broken')
    expect(first.stdout).toContain('archive/crew-2024.mbox: attempt 1 failed after 200 messages: failed on purpose; it runs again')
    expect(first.stdout).toMatch(/archive\/crew-2024\.mbox: started on worker-[12], attempt 2, after 200 messages/)
    expect(first.stdout).toContain('archive/crew-2024.mbox: done: 420 messages, 420 new, 0 known, 0 broken')
    expect(first.stdout).toContain('  byte 127: it breaks off in the middle of its parts')
    expect(first.stdout).toMatch(
      /\n13 mailboxes: 13 done\n1,226 messages: 1,226 new, 0 known, 5 broken\nworker-1: .*\nworker-2: .*\n[\d.]+ s\n$/,
    )
    expect(existsSync(join(folder, '.taskledger-index', 'index.db'))).toBe(true)

    const second = await run('--pace', '0')
    expect(second.stdout).toContain('1,226 messages: 0 new, 1,226 known, 0 broken')

    const index = ['--index', join(folder, '.taskledger-index')]
    expect((await run('search', 'nosuchword')).stdout).toBe('0 of 1,226 messages have nosuchword\n')
    for (const [words, subject] of [
      [['regatta', 'heron'], 'Your entry for the regatta in June'],
      [['KASEKUCHEN'], 'Re: Boathouse keys – and a cake 🍰'],
      [['attachment:trainingsplan'], 'Training plan'],
      [['sculling oars'], 'Fwd: Invoice 2026-118'],
      [['東京の会議'], '東京の会議'],
      [['żółtej'], 'Delegacja do Łodzi'],
      [['понедельника'], 'Отпуск'],
      [['shipyard'], 'Invitation: “Knots and Rope”'],
    ] as const) {
      const { code, stdout } = await call('search', ...index, '--limit', '1', ...words)
      expect(code).toBe(0)
      expect(stdout.split('\n')[2], words.join(' ')).toBe(subject)
    }
    expect((await call('search', ...index, 'the', 'OR', '(', 'water*"')).code).toBe(0)
  })

  it('reindexes any path, and reports a failed mailbox by its exit code and a reason', async () => {
    const { code, stdout } = await run('reindex', 'mail/bad.mbox', 'mail/inbox.mbox', '--index', 'some-index')
    expect(code).toBe(1)
    expect(stdout).toContain('Reindexing 2 mailboxes into some-index\n')
    expect(stdout).toMatch(/\nbad\.mbox: failed after 1 attempt: .*bad\.mbox: it is not an mbox/)
    expect(stdout).toContain('\n2 mailboxes: 1 done, 1 failed\n3 messages: 3 new, 0 known, 0 broken\n')
  })

  it('shuts down in order at the first SIGINT; the next run continues with the rest', async () => {
    const child = launch('reindex', 'mail/long.mbox', '--index', 'long-index')
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('long.mbox: started')) child.kill('SIGINT')
    })
    const { code, stdout, stderr } = await outcomeOf(child)
    expect(stdout).toContain('Shutting down')
    expect(stderr).toBe('')
    expect(code).toBe(130)
    expect(stdout).toMatch(/\n1 mailbox: 1 (?:done|not finished)\n/)
    const next = await run('reindex', 'mail/long.mbox', '--index', 'long-index')
    expect(next.code).toBe(0)
    expect(next.stdout).toContain('8,000 messages: ')
    expect(next.stdout).toContain('1 mailbox: 1 done')
  })

  it.each([
    [['reindex', '/nowhere'], /^\/nowhere: there is no such file or folder\n$/],
    [['reindex', '~/no such mail'], new RegExp(`^${homedir()}/no such mail: there is no such file or folder\n$`)],
    [['reindex', program], /there is no mail: no mbox, no Maildir and no \.eml file/],
    [['reindex'], /missing required argument 'path'/],
    [['mail'], /there is no command "mail"\. To reindex that path, run: npm start -- reindex mail/],
    [['--pace', 'fast'], /Give a whole number of milliseconds/],
    [['reindex', '/nowhere', '--pace', '5'], /unknown option '--pace'/],
    [['search'], /missing required argument 'words'/],
    [['search', '?!'], /There is no word to search for/],
    [['search', 'x', '--index', '/nowhere'], /there is no index in \/nowhere: make one first/],
    [['search', 'x', '--limit', '0'], /Give a whole number, 1 or more/],
  ])('refuses %j, and says what to do', async (args, message) => {
    const { code, stderr } = await call(...args)
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })

  it('refuses a folder that cannot be written, without a stack', async () => {
    for (const command of [['reindex', 'mail/inbox.mbox'], []]) {
      const { code, stderr } = await run(...command, '--index', 'mail/inbox.mbox/x')
      expect(stderr).toMatch(/^the folder .* cannot be written: [^\n]*\n$/)
      expect(code).toBe(2)
    }
  })

  it('prints its usage', async () => {
    const { code, stdout } = await call('--help')
    expect(code).toBe(0)
    for (const word of ['reindex [options] <path...>', 'search [options] <words...>', '--index', '--pace', 'Exit codes'])
      expect(stdout).toContain(word)
  })
})
