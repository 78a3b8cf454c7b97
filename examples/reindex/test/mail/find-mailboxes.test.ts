import { execFileSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findMailboxes } from '../../src/mail/find-mailboxes.ts'
import { mail, mbox, write } from '../mail-on-disk.ts'

let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'reindex-')))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Name, kind and place of the mailboxes that are found. */
const find = async (...paths: readonly string[]): Promise<readonly string[]> => {
  const { mailboxes } = await findMailboxes(paths.map((path) => join(folder, path)))
  return mailboxes.map(({ name, kind, path }) => `${name} ${kind} ${relative(folder, path)}`)
}

describe('mailboxes are found', () => {
  it('in a named file, whatever its name is', async () => {
    write(folder, { inbox: mbox(mail('one')), 'empty.mbox': '', nothing: '', 'one.eml': mail('one'), message: mail('one') })
    expect(await find('inbox', 'empty.mbox', 'nothing', 'one.eml', 'message')).toEqual([
      'inbox mbox inbox',
      'empty.mbox mbox empty.mbox',
      'nothing mbox nothing',
      'one.eml eml one.eml',
      'message eml message',
    ])
  })

  it('below a folder, without other files', async () => {
    write(folder, {
      'Mail/inbox': mbox(mail('one')),
      'Mail/lists/dev.mbox': 'may be anything, but is called so',
      'Mail/lists/readme.txt': 'Note: this is a text\n',
      'Mail/lists/empty': '',
      'Mail/.cache/hidden.mbox': mbox(mail('one')),
      'Mail/saved/a.eml': mail('a'),
      'Mail/saved/B.EML': mail('b'),
    })
    expect(await find('Mail')).toEqual([
      'Mail/inbox mbox Mail/inbox',
      'Mail/lists/dev.mbox mbox Mail/lists/dev.mbox',
      'Mail/saved eml Mail/saved',
    ])
  })

  it('in a Maildir, each of its folders by itself', async () => {
    write(folder, {
      'Maildir/cur/1:2,S': mail('one'),
      'Maildir/new/': '',
      'Maildir/tmp/': '',
      'Maildir/.Sent.2025/cur/': '',
      'Maildir/.Sent.2025/new/': '',
      'Maildir/.Entw&APw-rfe/cur/': '',
      'Maildir/.Entw&APw-rfe/new/': '',
      'Maildir/Sub/cur/': '',
      'Maildir/Sub/new/': '',
      'Maildir/dovecot.index.log': 'From what is no mail\n',
    })
    expect(await find('Maildir')).toEqual([
      'Maildir maildir Maildir',
      'Maildir/Entwürfe maildir Maildir/.Entw&APw-rfe',
      'Maildir/Sent/2025 maildir Maildir/.Sent.2025',
      'Maildir/Sub maildir Maildir/Sub',
    ])
  })

  it('once, by however many paths and links', async () => {
    write(folder, { 'Mail/inbox': mbox(mail('one')) })
    symlinkSync(join(folder, 'Mail'), join(folder, 'Mail', 'loop'))
    symlinkSync(join(folder, 'Mail', 'nowhere'), join(folder, 'Mail', 'broken'))
    symlinkSync(join(folder, 'Mail', 'inbox'), join(folder, 'Mail', 'again'))
    expect(await find('Mail', 'Mail/inbox', 'Mail')).toEqual(['Mail/again mbox Mail/inbox'])
  })

  it('without what links lead to outside of the path, which is reported', async () => {
    write(folder, { 'Mail/inbox': mbox(mail('one')), 'other/secret': mbox(mail('two')) })
    symlinkSync(join(folder, 'other'), join(folder, 'Mail', 'out'))
    symlinkSync(join(folder, 'other/secret'), join(folder, 'Mail', 'stolen'))
    const { mailboxes, unreadable } = await findMailboxes([join(folder, 'Mail')])
    expect(mailboxes.map(({ name }) => name)).toEqual(['Mail/inbox'])
    expect(unreadable).toEqual([
      `${folder}/Mail/out: it is a link out of ${folder}/Mail: name its target to read it`,
      `${folder}/Mail/stolen: it is a link out of ${folder}/Mail: name its target to read it`,
    ])
  })

  it('beside names that are no UTF-8, which are reported', async () => {
    write(folder, { 'Mail/inbox': mbox(mail('one')) })
    const name = Buffer.concat([Buffer.from(join(folder, 'Mail/')), Buffer.from([0x62, 0xff])])
    writeFileSync(name, mbox(mail('two')))
    const { unreadable } = await findMailboxes([join(folder, 'Mail')])
    expect(unreadable).toEqual([expect.stringMatching(/: its name is not UTF-8: rename it$/)])
  })

  it('under their whole paths if two have the same name', async () => {
    write(folder, { 'a/inbox': mbox(mail('one')), 'b/inbox': mbox(mail('two')) })
    expect(await find('a/inbox', 'b/inbox')).toEqual([`${folder}/a/inbox mbox a/inbox`, `${folder}/b/inbox mbox b/inbox`])
  })

  it('beside folders that cannot be read, which are reported', async () => {
    write(folder, { 'Mail/inbox': mbox(mail('one')) })
    symlinkSync(join(folder, 'Mail', 'nowhere'), join(folder, 'Mail', 'broken'))
    const { mailboxes, unreadable } = await findMailboxes([join(folder, 'Mail')])
    expect(mailboxes).toHaveLength(1)
    expect(unreadable).toEqual([expect.stringMatching(/broken: there is no such file or folder$/)])
  })
})

describe('a path without mail is refused', () => {
  it('a pipe, without waiting for its writer', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')])
    await expect(find('pipe')).rejects.toThrow('pipe: it is not a file')
  })

  it.each([
    ['nowhere', 'there is no such file or folder'],
    ['text.txt', 'there is no mail: no mbox, no Maildir and no .eml file'],
    ['texts', 'there is no mail: no mbox, no Maildir and no .eml file'],
    ['text.txt/below', 'there is no such folder'],
  ])('%s: %s', async (path, why) => {
    write(folder, { 'text.txt': 'just a text\n', 'texts/text.txt': 'just a text\n' })
    await expect(find(path)).rejects.toThrow(`${path}: ${why}`)
  })
})
