import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MailIndex, NewMessage } from '../../src/index/mail-index.ts'
import { openExistingIndex, openIndex } from '../../src/index/open-index.ts'
import { queryOf } from '../../src/index/words.ts'
import type { Mail } from '../../src/mail/parse-mail.ts'

let folder: string
let index: MailIndex

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reindex-'))
  index = openIndex(folder)
})
afterEach(() => {
  index.close()
  rmSync(folder, { recursive: true })
})

const inbox = { name: 'inbox', kind: 'mbox', path: '/mail/inbox' } as const

const message = (key: string, mail: Partial<Mail> = {}): NewMessage => ({
  key,
  place: `byte ${key}`,
  flags: '',
  mail: { subject: '', sender: '', recipients: '', text: '', attachments: [], defects: [], ...mail },
})

const known = (key: string): NewMessage => ({ ...message(key), flags: 'S' })

/** The places of the messages that are found, the best first. */
const find = (words: string): readonly string[] => index.search(queryOf(words) ?? '', 50).map(({ place }) => place)

describe('a pass through a mailbox', () => {
  it('adds new messages, and knows them from then on', () => {
    const pass = index.begin(inbox)
    expect(index.has(pass, '1')).toBe(false)
    index.write(pass, [message('1', { text: 'apple' }), message('2', { text: 'pear' })], [])
    expect(index.has(pass, '1')).toBe(true)
    expect(index.size).toBe(2)
    expect(find('apple')).toEqual(['byte 1'])
  })

  it('adds the same message once, however often it is written', () => {
    const pass = index.begin(inbox)
    for (let times = 0; times < 3; times++) index.write(pass, [message('1', { text: 'apple' })], [])
    expect(index.size).toBe(1)
    expect(index.count('apple')).toBe(1)
  })

  it('removes messages that it did not find, with their words, once it is over', () => {
    index.write(index.begin(inbox), [message('1', { text: 'apple' }), message('2', { text: 'apple pie' })], [])
    const other = index.begin({ ...inbox, path: '/mail/other' })
    index.write(other, [message('1', { text: 'apple tree' })], [])
    const second = index.begin(inbox)
    index.write(second, [], [known('2')])
    expect(index.sweep(second)).toBe(1)
    expect(index.sweep(second)).toBe(0)
    expect(find('apple')).toHaveLength(2)
    expect(find('pie')).toEqual(['byte 2'])
  })

  it('keeps messages that a later pass found', () => {
    const slow = index.begin(inbox)
    const fast = index.begin(inbox)
    index.write(fast, [message('1')], [])
    index.write(slow, [message('1')], [known('1')])
    expect(index.sweep(slow)).toBe(0)
    expect(index.sweep(fast)).toBe(0)
    expect(index.size).toBe(1)
  })

  it('updates the flags and the place of a known message', () => {
    index.write(index.begin(inbox), [message('1', { text: 'apple' })], [])
    index.write(index.begin(inbox), [], [{ key: '1', place: 'byte 77', flags: 'FS' }])
    expect(index.search('apple', 1)).toMatchObject([{ place: 'byte 77', flags: 'FS' }])
  })

  it('writes all or nothing', () => {
    const pass = index.begin(inbox)
    const impossible = { ...message('2'), place: {} as string }
    expect(() => index.write(pass, [message('1'), impossible], [])).toThrow(/cannot be bound/)
    expect(index.size).toBe(0)
    index.write(pass, [message('1')], [])
    expect(index.size).toBe(1)
  })
})

describe('a search', () => {
  const date = Date.UTC(2026, 0, 5)

  beforeEach(() => {
    index.write(
      index.begin(inbox),
      [
        message('long', { subject: 'minutes', text: `${'something else. '.repeat(50)} the regatta is in June, the boat is blue` }),
        message('short', { subject: 'Regatta', sender: 'Jörg <jorg@example.org>', text: 'see you there', date }),
        message('cake', {
          subject: 'Käsekuchen',
          recipients: 'Anna <anna@example.org>',
          text: "don't 会議は東京です",
          attachments: ['plan.pdf'],
        }),
      ],
      [],
    )
  })

  it('gives the best match first, with its details', () => {
    expect(find('regatta')).toEqual(['byte short', 'byte long'])
    expect(index.search('regatta', 1)).toEqual([
      {
        mailbox: 'inbox',
        place: 'byte short',
        flags: '',
        date,
        subject: 'Regatta',
        sender: 'Jörg <jorg@example.org>',
        attachments: [],
        snippet: 'see you there',
      },
    ])
    expect(index.search('boat', 1)[0]?.snippet).toContain('the \u0001boat\u0002 is blue')
    expect(index.count('regatta')).toBe(2)
    expect(index.search(queryOf('東京') ?? '', 1)[0]?.snippet).toContain('会議は\u0001東京\u0002です')
  })

  it.each([
    ['all words have to be there', 'regatta june', ['byte long']],
    ['in any order', 'june regatta', ['byte long']],
    ['unless they are quoted', '"june regatta"', []],
    ['quoted words follow one another', '"boat is blue"', ['byte long']],
    ['a star stands for any end', 'regat*', ['byte short', 'byte long']],
    ['and does so after a quoted phrase', '"boat is bl"*', ['byte long']],
    ['capitals do not matter', 'REGATTA june', ['byte long']],
    ['accents do not matter', 'kasekuchen', ['byte cake']],
    ['a column can be named', 'from:jorg', ['byte short']],
    ['another one too', 'TO:anna attachment:plan', ['byte cake']],
    ['with a phrase', 'subject:"regatta"', ['byte short']],
    ['a word within Japanese is found', '東京', ['byte cake']],
    ['and only as it is written', '京東', []],
    ['an apostrophe parts words, here as there', "don't", ['byte cake']],
    ['punctuation between words is left out', 'regatta - & june', ['byte long']],
    ['operators are words', 'regatta OR june', []],
    ['so are columns that there are not', 'text:boat', []],
    ['a dash is no operator', 'blue-boat', []],
  ])('%s: %s', (_, words, places) => {
    expect(find(words)).toEqual(places)
  })

  it.each([
    '"',
    '""',
    '"regatta',
    'regatta"',
    'AND',
    'NOT x',
    'NEAR(a b',
    '(',
    'a)',
    '*',
    '^a',
    'a:b',
    '{subject}: x',
    "';--",
    'from:',
    'a\0b',
    '\\',
    '+',
  ])('nothing that is typed is an error: %j', (words) => {
    const query = queryOf(words)
    if (query !== undefined) expect(() => index.search(query, 1)).not.toThrow()
  })

  it.each(['', '   ', '"', '* - ?', 'from:'])('there is no word in %j', (words) => {
    expect(queryOf(words)).toBeUndefined()
  })
})

describe('an index in a folder', () => {
  it('is opened again with what it holds, and ignored by git', () => {
    index.write(index.begin(inbox), [message('1')], [])
    index.close()
    index = openExistingIndex(folder)
    expect(index.size).toBe(1)
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toBe('*\n')
  })

  it('may be open several times', () => {
    using other = openIndex(folder)
    index.write(index.begin(inbox), [message('1')], [])
    other.write(other.begin(inbox), [message('2')], [])
    expect([index.size, other.size]).toEqual([2, 2])
  })

  it('has to exist to be searched', () => {
    expect(() => openExistingIndex(join(folder, 'nowhere'))).toThrow(/there is no index in .*nowhere: make one first/)
  })

  it('is refused if it is not a database, is of another release, or cannot be written', () => {
    index.close()
    writeFileSync(join(folder, 'index.db'), 'this is a text and no database at all')
    expect(() => openIndex(folder)).toThrow(/index\.db cannot be used as an index: file is not a database/)
    rmSync(join(folder, 'index.db'))
    const newer = new DatabaseSync(join(folder, 'index.db'))
    newer.exec('PRAGMA user_version = 99')
    newer.close()
    expect(() => openIndex(folder)).toThrow('was made by another release')
    writeFileSync(join(folder, 'file'), '')
    expect(() => openIndex(join(folder, 'file', 'below'))).toThrow(/the folder .*below cannot be written/)
  })
})
