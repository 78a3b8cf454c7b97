import { afterEach, expect, it } from 'vitest'
import { MailParser } from '../../src/mail/mail-parser.ts'

const opened: MailParser[] = []
const open = (options?: { readonly maxMs: number }): MailParser => {
  const parser = new MailParser(options)
  opened.push(parser)
  return parser
}
afterEach(() => Promise.all(opened.splice(0).map((parser) => parser.close())))

const rawOf = (text: string) => ({ bytes: Buffer.from(text), isCut: false })

/** It keeps a thread busy for a while. */
const heavy = rawOf('Subject: heavy\n\nfirst words\n' + 'a\n'.repeat(49_000))
const never = new AbortController().signal

it('a message is parsed in a thread', async () => {
  expect(await open().parse(rawOf('Subject: x\n\nwords\n'), never)).toMatchObject({ subject: 'x', text: 'words', defects: [] })
})

it('a message that takes too long is its head and plain text, with the reason, and the next one is parsed', async () => {
  const parser = open({ maxMs: 1 })
  const mail = await parser.parse(heavy, never)
  expect(mail).toMatchObject({ subject: 'heavy', defects: ['it takes longer than 0.001 s to parse'] })
  expect(mail.text).toContain('first words')
})

it('an abort ends the parsing in the middle', async () => {
  const parser = open()
  const controller = new AbortController()
  const reason = new Error('enough')
  const parsing = parser.parse(heavy, controller.signal)
  controller.abort(reason)
  await expect(parsing).rejects.toBe(reason)
  await expect(parser.parse(heavy, controller.signal)).rejects.toBe(reason)
  expect(await parser.parse(rawOf('Subject: x\n\nwords\n'), never)).toMatchObject({ text: 'words' })
})
