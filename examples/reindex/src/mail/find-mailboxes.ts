import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, extname, join, relative, sep } from 'node:path'
import { messageOf } from '../error-message.ts'
import { openFile } from './files.ts'
import type { Mailbox } from './mailbox.ts'
import { folderName } from './maildir.ts'

/** A path without mail. The message names the path and the reason. */
export class NoMail extends Error {
  readonly code = 'NO_MAIL'

  constructor(path: string, why: string) {
    super(`${path}: ${why}`)
    this.name = 'NoMail'
  }
}

export interface FoundMailboxes {
  readonly mailboxes: readonly Mailbox[]
  /** Folders and files that were not read, each with the reason. */
  readonly unreadable: readonly string[]
}

/**
 * Finds the mailboxes of paths: mbox files, `.eml` files, Maildir folders with their subfolders, and all of these below a folder. Each
 * mailbox is found once, in the order of the paths, then of the names. A link that leads out of the given path is not followed.
 *
 * @throws {@link NoMail} if a path has no mailbox.
 */
export const findMailboxes = async (paths: readonly string[]): Promise<FoundMailboxes> => {
  const search = new Search()
  for (const path of paths) await search.begin(path)
  return { mailboxes: withUniqueNames([...search.mailboxes.values()]), unreadable: search.unreadable }
}

class Search {
  readonly mailboxes = new Map<string, Mailbox>()
  readonly unreadable: string[] = []
  readonly #seen = new Set<string>()

  async begin(given: string): Promise<void> {
    const path = await realpath(given).catch((error: unknown) => Promise.reject(new NoMail(given, reasonOf(error))))
    try {
      if ((await stat(path)).isDirectory()) await this.#enter(path, path)
      else await this.#addFile(path, basename(path), true)
    } catch (error) {
      throw error instanceof NoMail ? error : new NoMail(given, reasonOf(error))
    }
    if (![...this.mailboxes.keys()].some((mailbox) => isIn(path, mailbox)))
      throw new NoMail(given, 'there is no mail: no mbox, no Maildir and no .eml file')
  }

  async #enter(root: string, folder: string): Promise<void> {
    const path = await realpath(folder)
    // A link may lead back up.
    if (this.#seen.has(path)) return
    this.#seen.add(path)
    const entries = (await readdir(path, { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    const directories = new Set(entries.filter((entry) => !entry.isFile()).map(({ name }) => name))
    const isMaildir = directories.has('cur') && directories.has('new')
    if (isMaildir) this.#add({ name: nameOf(root, folder), kind: 'maildir', path })
    else if (entries.some(isEml)) this.#add({ name: nameOf(root, folder), kind: 'eml', path })
    for (const entry of entries) {
      if (isMaildir && ['cur', 'new', 'tmp'].includes(entry.name)) continue
      await this.#visit(root, join(folder, entry.name), entry, isMaildir)
    }
  }

  async #visit(root: string, path: string, entry: Dirent, inMaildir: boolean): Promise<void> {
    // Hidden files are skipped, except for the subfolders of a Maildir.
    if (entry.name.startsWith('.') && !inMaildir) return
    try {
      if (path.includes('\u{fffd}')) throw new Error('its name is not UTF-8: rename it')
      const target = entry.isSymbolicLink() ? await stat(path) : entry
      if (entry.isSymbolicLink() && !isIn(root, await realpath(path)))
        throw new Error(`it is a link out of ${root}: name its target to read it`)
      if (target.isDirectory()) await this.#enter(root, path)
      else if (target.isFile() && !inMaildir && !isEml(entry)) await this.#addFile(path, nameOf(root, path), false)
    } catch (error) {
      this.unreadable.push(`${path}: ${reasonOf(error)}`)
    }
  }

  /** `isNamed`: the user named this file. Any other file was found in a folder, and may be anything. */
  async #addFile(path: string, name: string, isNamed: boolean): Promise<void> {
    if (isNamed && isEml({ name: path })) return this.#add({ name, kind: 'eml', path })
    const isMbox = extname(path).toLowerCase() === '.mbox' || (await beginsAsMbox(path)) || (isNamed && (await stat(path)).size === 0)
    if (isMbox) return this.#add({ name, kind: 'mbox', path: await realpath(path) })
    if (isNamed && (await beginsAsMessage(path))) return this.#add({ name, kind: 'eml', path })
  }

  #add(mailbox: Mailbox): void {
    if (!this.mailboxes.has(mailbox.path)) this.mailboxes.set(mailbox.path, mailbox)
  }
}

/** Whether a path is a folder, or a path below it. */
const isIn = (folder: string, path: string): boolean => path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)

const isEml = ({ name }: { readonly name: string }): boolean => extname(name).toLowerCase() === '.eml'

const beginningOf = async (path: string): Promise<string> => {
  await using file = await openFile(await realpath(path))
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1024), 0, 1024, 0)
  return buffer.toString('latin1', 0, bytesRead)
}

const beginsAsMbox = async (path: string): Promise<boolean> => /^From .*\r?\n/.test(await beginningOf(path))

const beginsAsMessage = async (path: string): Promise<boolean> => /^[!-9;-~]+:.*\r?\n/.test(await beginningOf(path))

/** The name of a folder or a file below the given path, with the name of that path first. */
const nameOf = (root: string, path: string): string =>
  [basename(root), ...relative(root, path).split(sep).filter(Boolean).map(folderName)].join('/')

/** Mailboxes with the same name get their whole path as their name. */
const withUniqueNames = (mailboxes: readonly Mailbox[]): readonly Mailbox[] => {
  const counts = new Map<string, number>()
  for (const { name } of mailboxes) counts.set(name, (counts.get(name) ?? 0) + 1)
  return mailboxes.map((mailbox) => (counts.get(mailbox.name) === 1 ? mailbox : { ...mailbox, name: mailbox.path }))
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'there is no such folder',
  EACCES: 'it may not be read (permission denied)',
  EPERM: 'it may not be read (permission denied)',
  ELOOP: 'it is a link, or leads to itself',
}

/** The reason of an error of the file system, in words. */
export const reasonOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return reasons[code] ?? messageOf(error)
}
