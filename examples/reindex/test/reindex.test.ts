import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { silentLogger } from '@taskledger/core'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MailIndex } from '../src/index/mail-index.ts'
import { openIndex } from '../src/index/open-index.ts'
import { queryOf } from '../src/index/words.ts'
import type { MailboxKind } from '../src/mail/mailbox.ts'
import type { Reindexed, ReindexOptions, ReindexProgress } from '../src/job.ts'
import { MailParser, reindexer } from '../src/job.ts'
import { mail, mails, mbox, write } from './mail-on-disk.ts'

const parser = new MailParser()
afterAll(() => parser.close())

let folder: string
let index: MailIndex

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reindex-'))
  index = openIndex(join(folder, 'index'))
})
afterEach(() => {
  index.close()
  rmSync(folder, { recursive: true })
})

interface RunOptions extends Pick<ReindexOptions, 'beforeMessage'> {
  readonly signal?: AbortSignal
  readonly lastProgress?: ReindexProgress | undefined
  readonly index?: MailIndex
  readonly version?: number
  readonly payload?: { readonly file: string }
}

/** What an attempt reported last. */
let reported: ReindexProgress | undefined

/** Runs the body of the task as a worker would. */
const run = async (kind: MailboxKind, path: string, options: RunOptions = {}): Promise<Reindexed> => {
  const { beforeMessage, signal = new AbortController().signal, lastProgress } = options
  const task = reindexer({ index: options.index ?? index, parser, ...(beforeMessage === undefined ? {} : { beforeMessage }) })
  const payload = options.payload ?? { name: basename(path), kind, path: join(folder, path) }
  const runnable = await task.decode(options.version ?? task.version, { ...payload })
  const result = await runnable.run({
    taskId: '00000000-0000-7000-8000-000000000000' as Parameters<typeof runnable.run>[0]['taskId'],
    attempt: lastProgress === undefined ? 1 : 2,
    fence: 1,
    signal,
    lastProgress,
    progress: (value) => void (reported = value as ReindexProgress),
    labels: [],
    logger: silentLogger,
  })
  return result as Reindexed
}

const found = (words: string): number => index.count(queryOf(words) ?? '')

describe('a mailbox is reindexed', () => {
  it('from an mbox', async () => {
    write(folder, { inbox: mbox(...mails(3)) })
    expect(await run('mbox', 'inbox')).toEqual({ done: 3, indexed: 3, known: 0, broken: 0, removed: 0, problems: [] })
    expect(found('"message 2"')).toBe(1)
  })

  it('from a Maildir, with flags, and with renamed files', async () => {
    write(folder, {
      'Maildir/cur/1.a:2,FS': mail('one'),
      'Maildir/cur/2.b;2,': mail('two'),
      'Maildir/new/3.c': mail('three'),
      'Maildir/cur/.keep': '',
    })
    expect(await run('maildir', 'Maildir')).toMatchObject({ done: 3, indexed: 3 })
    expect(index.search('one', 1)).toMatchObject([{ place: '1.a:2,FS', flags: 'FS' }])
    renameSync(join(folder, 'Maildir/new/3.c'), join(folder, 'Maildir/cur/3.c:2,S'))
    expect(await run('maildir', 'Maildir')).toMatchObject({ done: 3, indexed: 0, known: 3, removed: 0 })
    expect(index.search('three', 1)).toMatchObject([{ place: '3.c:2,S', flags: 'S' }])
  })

  it('from a Maildir with a pipe and a link, which are reported, and with a name that is no UTF-8', async () => {
    write(folder, { 'Maildir/cur/1:2,': mail('one'), 'Maildir/new/': '', secret: mail('secret') })
    execFileSync('mkfifo', [join(folder, 'Maildir/new/2')])
    symlinkSync(join(folder, 'secret'), join(folder, 'Maildir/new/3'))
    writeFileSync(Buffer.concat([Buffer.from(join(folder, 'Maildir/new/4')), Buffer.from([0xff])]), mail('four'))
    expect(await run('maildir', 'Maildir')).toMatchObject({
      done: 4,
      indexed: 2,
      broken: 2,
      problems: [
        { where: '2', why: 'it is not a file' },
        { where: '3', why: 'it is a link, or leads to itself' },
      ],
    })
    expect([found('one'), found('four'), found('secret')]).toEqual([1, 1, 0])
  })

  it('from single messages in files', async () => {
    write(folder, {
      'one.eml': mail('one'),
      'more/a.eml': mail('two'),
      'more/b.eml': mail('three'),
      'more/c.txt': 'no mail',
      'more/empty.eml': '',
    })
    expect(await run('eml', 'one.eml')).toMatchObject({ done: 1, indexed: 1 })
    expect(await run('eml', 'more')).toMatchObject({
      done: 3,
      indexed: 3,
      broken: 1,
      problems: [{ where: 'empty.eml', why: 'it is empty' }],
    })
  })

  it('from an empty one', async () => {
    write(folder, { 'empty.mbox': '', 'Maildir/cur/': '', 'Maildir/new/': '' })
    expect(await run('mbox', 'empty.mbox')).toMatchObject({ done: 0, indexed: 0 })
    expect(await run('maildir', 'Maildir')).toMatchObject({ done: 0, indexed: 0 })
  })

  it('with its broken messages, which are counted and reported', async () => {
    write(folder, { inbox: mbox(mail('one'), 'words without a header', mail('two')) })
    const second = mbox(mail('one')).length
    expect(await run('mbox', 'inbox')).toMatchObject({
      done: 3,
      indexed: 3,
      broken: 1,
      problems: [{ where: `byte ${second}`, why: 'it has no header' }],
    })
    expect(found('without a header')).toBe(1)
  })

  it('with hundreds of broken messages, of which the first few are reported', async () => {
    write(folder, { inbox: mbox(...Array.from({ length: 300 }, (_, at) => `no header ${at}`)) })
    const { broken, problems } = await run('mbox', 'inbox')
    expect(broken).toBe(300)
    expect(problems).toHaveLength(10)
  })
})

describe('running it again', () => {
  it('indexes only what is new', async () => {
    write(folder, { inbox: mbox(...mails(3)) })
    await run('mbox', 'inbox')
    const parsed: number[] = []
    const beforeMessage = ({ done }: { readonly done: number }): void => void parsed.push(done)
    expect(await run('mbox', 'inbox', { beforeMessage })).toMatchObject({ done: 3, indexed: 0, known: 3 })
    appendFileSync(join(folder, 'inbox'), mbox(mail('a new one')))
    expect(await run('mbox', 'inbox', { beforeMessage })).toMatchObject({ done: 4, indexed: 1, known: 3 })
    expect(parsed).toEqual([3])
    expect(index.size).toBe(4)
  })

  it('indexes a message once that is in the mailbox twice', async () => {
    write(folder, { inbox: mbox(mail('one'), mail('two'), mail('one')) })
    expect(await run('mbox', 'inbox')).toMatchObject({ done: 3, indexed: 2, known: 1 })
    expect(index.size).toBe(2)
  })

  it('removes messages that are gone, in any kind of mailbox', async () => {
    write(folder, { inbox: mbox(...mails(3)), 'Maildir/cur/1.a:2,': mail('one'), 'Maildir/cur/2.b:2,': mail('two'), 'Maildir/new/': '' })
    await run('mbox', 'inbox')
    await run('maildir', 'Maildir')
    write(folder, { inbox: mbox(mail('message 3'), mail('message 1')) })
    unlinkSync(join(folder, 'Maildir/cur/1.a:2,'))
    expect(await run('mbox', 'inbox')).toMatchObject({ indexed: 0, known: 2, removed: 1 })
    expect(await run('maildir', 'Maildir')).toMatchObject({ indexed: 0, known: 1, removed: 1 })
    expect([found('"message 2"'), found('"message 3"'), found('one'), found('two')]).toEqual([0, 1, 0, 1])
  })
})

describe('an attempt that fails midway', () => {
  const failAt =
    (message: number): NonNullable<RunOptions['beforeMessage']> =>
    ({ done }) => {
      if (done === message) throw new Error('failed on purpose')
    }

  it.each([
    ['mbox', (): string => (write(folder, { box: mbox(...mails(5)) }), 'box')],
    [
      'maildir',
      (): string => (
        write(folder, { 'box/new/': '', ...Object.fromEntries(mails(5).map((text, at) => [`box/cur/${at}.x`, text])) }),
        'box'
      ),
    ],
    ['eml', (): string => (write(folder, Object.fromEntries(mails(5).map((text, at) => [`box/${at}.eml`, text]))), 'box')],
  ] as const)('keeps its messages; the next attempt continues there: %s', async (kind, make) => {
    const path = make()
    await expect(run(kind, path, { beforeMessage: failAt(3) })).rejects.toThrow('failed on purpose')
    expect(reported).toMatchObject({ done: 3, indexed: 3, pass: 1 })
    expect(index.size).toBe(3)
    const parsed: number[] = []
    const beforeMessage = ({ done, attempt }: { readonly done: number; readonly attempt: number }): void =>
      void parsed.push(attempt * 100 + done)
    expect(await run(kind, path, { lastProgress: reported, beforeMessage })).toMatchObject({ done: 5, indexed: 5, known: 0, removed: 0 })
    expect(parsed).toEqual([203, 204])
    expect(index.size).toBe(5)
  })

  it('does not make the next one remove messages that only the first one found', async () => {
    write(folder, { inbox: mbox(...mails(4)) })
    await run('mbox', 'inbox')
    appendFileSync(join(folder, 'inbox'), mbox(mail('five'), mail('six')))
    await expect(run('mbox', 'inbox', { beforeMessage: failAt(5) })).rejects.toThrow('failed on purpose')
    expect(await run('mbox', 'inbox', { lastProgress: reported })).toMatchObject({ done: 6, indexed: 2, known: 4, removed: 0 })
  })

  it('is followed by a fresh pass if the file was rewritten meanwhile', async () => {
    write(folder, { inbox: mbox(...mails(4)) })
    await expect(run('mbox', 'inbox', { beforeMessage: failAt(3) })).rejects.toThrow('failed on purpose')
    write(folder, { inbox: mbox(mail('a longer subject comes first'), ...mails(4)) })
    await run('mbox', 'inbox', { lastProgress: reported })
    expect(index.size).toBe(5)
  })

  it('is followed by a fresh pass in another index', async () => {
    write(folder, { inbox: mbox(...mails(4)) })
    await expect(run('mbox', 'inbox', { beforeMessage: failAt(3) })).rejects.toThrow('failed on purpose')
    using other = openIndex(join(folder, 'other'))
    expect(await run('mbox', 'inbox', { lastProgress: reported, index: other })).toMatchObject({ done: 4, indexed: 4 })
    expect(other.size).toBe(4)
  })
})

describe('a cancellation', () => {
  it('ends the message that is read, and keeps those before it', async () => {
    write(folder, { inbox: mbox(...mails(50)) })
    const controller = new AbortController()
    const beforeMessage = ({ done }: { readonly done: number }): void => {
      if (done === 7) controller.abort(new Error('enough'))
    }
    await expect(run('mbox', 'inbox', { signal: controller.signal, beforeMessage })).rejects.toThrow('enough')
    expect(index.size).toBe(7)
    expect(reported).toMatchObject({ done: 7, indexed: 7 })
    expect(await run('mbox', 'inbox')).toMatchObject({ done: 50, indexed: 43, known: 7, removed: 0 })
  })

  it('is handled between messages: other work runs after each message', async () => {
    write(folder, { inbox: mbox(...mails(5_000)) })
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('enough')), 0)
    await expect(run('mbox', 'inbox', { signal: controller.signal })).rejects.toThrow('enough')
    expect(index.size).toBeLessThan(5_000)
  })
})

describe('an error that another attempt would meet again is final', () => {
  it.each([
    ['mbox', 'nowhere', 'there is no such file or folder'],
    ['maildir', 'nowhere', 'there is no such file or folder'],
    ['mbox', 'garbage', 'it is not an mbox: the first line does not begin with "From "'],
    ['mbox', 'folder', /folder: (EISDIR|it is not an mbox)/],
    ['maildir', 'garbage', 'there is no such folder'],
  ] as const)('%s %s', async (kind, path, why) => {
    write(folder, { garbage: '\u0000\u0001 no mail at all' })
    mkdirSync(join(folder, 'folder'))
    await expect(run(kind, path)).rejects.toMatchObject({
      retryable: false,
      message: expect.stringMatching(typeof why === 'string' ? new RegExp(`${path}: ${why}`) : why) as string,
    })
  })
})

it('a file of a Maildir that cannot be read is reported, and the others are indexed', async () => {
  write(folder, {
    'Maildir/cur/1.a:2,': mail('one'),
    'Maildir/cur/2.b:2,': mail('two'),
    'Maildir/cur/3.c:2,': mail('three'),
    'Maildir/new/': '',
  })
  const beforeMessage = ({ done }: { readonly done: number }): void => {
    if (done > 0) return
    rmSync(join(folder, 'Maildir/cur/2.b:2,'))
    mkdirSync(join(folder, 'Maildir/cur/2.b:2,'))
  }
  const problems = [{ where: '2.b:2,', why: 'it is not a file' as string }]
  expect(await run('maildir', 'Maildir', { beforeMessage })).toMatchObject({ done: 3, indexed: 2, broken: 1, problems })
})

it('a file of a Maildir may be removed or renamed meanwhile', async () => {
  write(folder, {
    'Maildir/cur/1.a:2,': mail('one'),
    'Maildir/cur/2.b:2,': mail('two'),
    'Maildir/new/3.c': mail('three'),
    'Maildir/new/': '',
  })
  const beforeMessage = ({ done }: { readonly done: number }): void => {
    if (done > 0) return
    rmSync(join(folder, 'Maildir/cur/2.b:2,'))
    renameSync(join(folder, 'Maildir/new/3.c'), join(folder, 'Maildir/cur/3.c:2,S'))
  }
  expect(await run('maildir', 'Maildir', { beforeMessage })).toMatchObject({ done: 3, indexed: 2, broken: 0 })
  expect([found('two'), found('three')]).toEqual([0, 1])
})

it('a payload of version 1, an mbox file, still runs', async () => {
  write(folder, { inbox: mbox(...mails(2)) })
  expect(await run('mbox', 'inbox', { version: 1, payload: { file: join(folder, 'inbox') } })).toMatchObject({ done: 2, indexed: 2 })
})
