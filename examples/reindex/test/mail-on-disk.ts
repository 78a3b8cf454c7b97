import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A message with a subject and some words. */
export const mail = (subject: string, text = `the words of ${subject}`): string =>
  `From: Anna <anna@example.org>\nTo: crew@example.org\nDate: Mon, 5 Jan 2026 10:00:00 +0000\nSubject: ${subject}\n\n${text}\n`

/** An mbox of messages. */
export const mbox = (...messages: readonly string[]): string =>
  messages.map((message) => `From anna@example.org Mon Jan  5 10:00:00 2026\n${message}\n`).join('')

/** So many messages, numbered from 1. */
export const mails = (count: number, name = 'message'): readonly string[] =>
  Array.from({ length: count }, (_, at) => mail(`${name} ${at + 1}`))

/** Writes files below a folder, and gives the folder. A folder is one that ends in a slash. */
export const write = (folder: string, files: Readonly<Record<string, string>>): string => {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name)
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true })
    if (!name.endsWith('/')) writeFileSync(path, content)
  }
  return folder
}
