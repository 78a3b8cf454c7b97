import { describe, expect, it } from 'vitest'
import type { MboxMessage, SplitOptions } from '../../src/mail/split-mbox.ts'
import { NotAnMbox, splitMbox } from '../../src/mail/split-mbox.ts'

const from = 'From anna@example.org Mon Jan  5 10:00:00 2026'

const split = async (chunks: Iterable<Uint8Array>, options: SplitOptions = {}): Promise<readonly MboxMessage[]> => {
  const messages: MboxMessage[] = []
  for await (const message of splitMbox(chunks, options)) messages.push(message)
  return messages
}

const splitText = async (text: string): Promise<readonly string[]> =>
  (await split([Buffer.from(text, 'latin1')])).map(({ bytes }) => Buffer.from(bytes).toString('latin1'))

/** The same text, cut into chunks of so many bytes. */
const cut = (text: string, bytes: number): readonly Uint8Array[] =>
  Array.from({ length: Math.ceil(text.length / bytes) }, (_, index) =>
    Buffer.from(text.slice(index * bytes, (index + 1) * bytes), 'latin1'),
  )

describe('an mbox is split', () => {
  it('into messages without their From line and the empty line that ends them', async () => {
    expect(await splitText(`${from}\nSubject: one\n\nfirst\n\n${from}\nSubject: two\n\nsecond\n\n`)).toEqual([
      'Subject: one\n\nfirst\n',
      'Subject: two\n\nsecond\n',
    ])
  })

  it('with lines that end in CRLF', async () => {
    expect(await splitText(`${from}\r\nSubject: one\r\n\r\nfirst\r\n\r\n${from}\r\nSubject: two\r\n\r\nsecond\r\n`)).toEqual([
      'Subject: one\r\n\r\nfirst\r\n',
      'Subject: two\r\n\r\nsecond\r\n',
    ])
  })

  it('without a newline at its end', async () => {
    expect(await splitText(`${from}\nSubject: one\n\nfirst`)).toEqual(['Subject: one\n\nfirst'])
  })

  it('with one level of quoting undone, as mboxrd has it', async () => {
    expect(await splitText(`${from}\nSubject: one\n\n>From here on\n>>From there\n> From him\nfrom: >From her\n`)).toEqual([
      'Subject: one\n\nFrom here on\n>From there\n> From him\nfrom: >From her\n',
    ])
  })

  it('not at a sentence that begins with From', async () => {
    const text = 'Subject: one\n\nFrom here it is easy.\n\nFrom now on too.\n'
    expect(await splitText(`${from}\n${text}`)).toEqual([text])
  })

  it('where a program leaves the From line bare', async () => {
    expect(await splitText('From \nSubject: one\n\nfirst\n\nFrom \nSubject: two\n\nsecond\n')).toHaveLength(2)
  })

  it('where a program forgets the empty line between messages', async () => {
    expect(await splitText(`${from}\nSubject: one\n\nfirst\n${from}\nSubject: two\n\nsecond\n`)).toEqual([
      'Subject: one\n\nfirst\n',
      'Subject: two\n\nsecond\n',
    ])
  })

  it('into empty messages, where From lines follow one another', async () => {
    expect(await splitText(`${from}\n${from}\n${from}`)).toEqual(['', '', ''])
  })

  it('with blank lines or a byte order mark at its beginning', async () => {
    expect(await splitText(`\u00ef\u00bb\u00bf\n\n${from}\nSubject: one\n\nfirst\n`)).toEqual(['Subject: one\n\nfirst\n'])
  })

  it('the same way, however it is cut into chunks', async () => {
    const text = `${from}\r\nSubject: one\r\n\r\n>From first\r\n\r\n${from}\nSubject: two\n\nFrom here\n\n\nFrom \nSubject: three\n\n\n${from}`
    const whole = await split([Buffer.from(text, 'latin1')])
    expect(whole).toHaveLength(4)
    for (let bytes = 1; bytes <= 40; bytes++) expect(await split(cut(text, bytes)), `in chunks of ${bytes}`).toEqual(whole)
  })

  it('at positions from which a later reader can continue', async () => {
    const text = `${from}\nSubject: one\n\nfirst\n\n${from}\nSubject: two\n\nsecond\n\n${from}\nSubject: three\n\nthird\n`
    const whole = await split(cut(text, 7))
    expect(whole.map(({ end }) => end)).toEqual([whole[1]?.position, whole[2]?.position, text.length])
    for (const [index, { end }] of whole.entries())
      expect(await split([Buffer.from(text.slice(end))], { position: end })).toEqual(whole.slice(index + 1))
  })
})

describe('an empty mbox has no messages', () => {
  it.each([[''], ['\n'], ['\r\n\r\n']])('%j', async (text) => {
    expect(await splitText(text)).toEqual([])
  })
})

describe('a file that is not an mbox is refused at once', () => {
  it.each([['Subject: a single message\n\ntext\n'], ['\u0000\u0001\u00ff\u00fe\n\u0000'], [`\n\nfrom\n\n${from}\n`]])(
    '%j',
    async (text) => {
      await expect(splitText(text)).rejects.toThrow(NotAnMbox)
    },
  )

  it('after its first chunk', async () => {
    let read = 0
    const garbage = function* (): Generator<Uint8Array> {
      for (;;) {
        read++
        yield Buffer.alloc(1024, 7)
      }
    }
    await expect(split(garbage())).rejects.toThrow('it is not an mbox')
    expect(read).toBe(1)
  })
})

describe('a large mbox', () => {
  const chunkBytes = 64 * 1024
  const body = 'Lorem ipsum dolor sit amet.\n'.repeat(700)

  it('is never held: of 50 MB only the current message and a chunk are in memory', async () => {
    const message = Buffer.from(`${from}\nSubject: one of many\n\n${body}\n`)
    let pulled = 0
    const stream = function* (): Generator<Uint8Array> {
      let rest = Buffer.alloc(0)
      while (pulled < 50_000_000) {
        while (rest.length < chunkBytes) rest = Buffer.concat([rest, message])
        pulled += chunkBytes
        yield rest.subarray(0, chunkBytes)
        rest = rest.subarray(chunkBytes)
      }
    }
    let messages = 0
    let maxHeld = 0
    for await (const { end } of splitMbox(stream())) {
      messages++
      maxHeld = Math.max(maxHeld, pulled - end)
    }
    expect(messages).toBe(Math.ceil(pulled / message.length))
    expect(maxHeld).toBeLessThanOrEqual(chunkBytes + message.length)
  })

  it('with a message that is too large gives its beginning, and the whole next message', async () => {
    const large = `${from}\nSubject: large\n\n${'x'.repeat(5_000)}\n\n${from}\nSubject: small\n\ntext\n`
    const [first, second] = await split(cut(large, 100), { maxBytes: 1_000 })
    expect(first).toMatchObject({ isCut: true, end: large.lastIndexOf(from) })
    expect(first?.bytes).toHaveLength(1_000)
    expect(second).toMatchObject({ isCut: false })
    expect(second?.bytes.length).toBe('Subject: small\n\ntext\n'.length)
  })
})
