import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const people = ['Helen Marsh', 'Ben Ode', 'Anna Kovacs', 'Li Na', 'Kenji Mori', 'Frieda Holm', 'Pawel Zielinski', 'Jorg Wendt']
const things = [
  'boathouse',
  'trailer',
  'slipway',
  'regatta',
  'coxswain',
  'sculls',
  'rigger',
  'towpath',
  'kettle',
  'noticeboard',
  'buoy',
  'lantern',
]
const doings = [
  'was painted',
  'has to be repaired',
  'is ready',
  'cannot be found',
  'is wanted back',
  'looks as good as new',
  'has moved',
  'is for sale',
]
const times = [
  'on Monday',
  'before the winter',
  'since the last race',
  'early in the morning',
  'at the end of the month',
  'as nobody expected',
]

/** Random numbers from a seed, so that the same mail is made every time. */
const dice = (seed: number): ((sides: number) => number) => {
  let state = seed
  return (sides) => {
    state = (state * 48_271) % 2_147_483_647
    return state % sides
  }
}

const mails = (count: number, year: number): readonly string[] => {
  const roll = dice(year)
  const any = (list: readonly string[]): string => list[roll(list.length)] ?? ''
  const sentence = (): string => `The ${any(things)} ${any(doings)} ${any(times)}.`
  return Array.from({ length: count }, (_, at) => {
    const name = any(people)
    const address = `${name.toLowerCase().replace(' ', '.')}@example.org`
    const date = new Date(Date.UTC(year, 0, 1) + Math.floor((at / count) * 365) * 86_400_000 + roll(86_400) * 1000)
    const head = [
      `From: ${name} <${address}>`,
      'To: crew@example.org',
      `Date: ${date.toUTCString()}`,
      `Subject: The ${any(things)} ${any(doings)}`,
    ]
    const text = Array.from({ length: 3 + roll(10) }, sentence).join('\n')
    return `${head.join('\n')}\nMessage-ID: <${year}.${at}@example.org>\n\n${text}\n\n${name}\n`
  })
}

const mbox = (messages: readonly string[]): string =>
  messages.map((message) => `From crew@example.org Thu Jan  1 00:00:00 2026\n${message}\n`).join('')

/**
 * Makes some mailboxes that are large enough to be watched, unless they exist already. The mailboxes in the folder `mailboxes` are varied,
 * but small.
 */
export const makeArchive = (folder: string): string => {
  if (existsSync(folder)) return folder
  // An interruption leaves no incomplete archive behind.
  const half = `${folder}.${process.pid}`
  rmSync(half, { recursive: true, force: true })
  for (const part of ['newsletter/cur', 'newsletter/new', 'newsletter/tmp']) mkdirSync(join(half, part), { recursive: true })
  writeFileSync(join(half, 'crew-2023.mbox'), mbox(mails(260, 2023)))
  writeFileSync(join(half, 'crew-2024.mbox'), mbox(mails(420, 2024)))
  writeFileSync(join(half, 'crew-2025.mbox'), mbox(mails(340, 2025)))
  for (const [at, message] of mails(180, 2022).entries())
    writeFileSync(join(half, 'newsletter/cur', `${1_640_000_000 + at}.demo;2,S`), message)
  renameSync(half, folder)
  return folder
}
