import { describe, expect, it } from 'vitest'
import type { Mail } from '../../src/mail/parse-mail.ts'
import { parseMail } from '../../src/mail/parse-mail.ts'

/** Parses a message that is written down with one character for each byte. */
const parse = (text: string, isCut = false): Promise<Mail> => parseMail({ bytes: Buffer.from(text, 'latin1'), isCut })

const lines = (...parts: readonly string[]): string => parts.join('\r\n')

const base64 = (bytes: string, encoding: BufferEncoding = 'utf8'): string => Buffer.from(bytes, encoding).toString('base64')

describe('headers', () => {
  it('give sender, recipients, subject and date', async () => {
    const mail = await parse(
      lines(
        'From: Anna <anna@example.org>',
        'To: ben@example.org, "Club, The" <club@example.org>',
        'Cc: Crew: carl@example.org, Dora <dora@example.org>;',
        'Date: Mon, 5 Jan 2026 10:00:00 +0100',
        'Subject: a',
        '  folded subject',
        '',
        'text',
      ),
    )
    expect(mail).toMatchObject({
      sender: 'Anna <anna@example.org>',
      recipients: 'ben@example.org, Club, The <club@example.org>, Crew: carl@example.org, Dora <dora@example.org>',
      date: Date.UTC(2026, 0, 5, 9),
      subject: 'a folded subject',
      text: 'text',
      defects: [],
    })
  })

  it.each([
    ['=?iso-8859-1?Q?Gr=FC=DFe_aus_K=F6ln?=', 'Grüße aus Köln'],
    ['=?iso-8859-2?B?' + base64('\u00b3\u00f3d\u00bc', 'latin1') + '?=', 'łódź'],
    ['=?utf-8?Q?split_=C3?= =?utf-8?Q?=A9clair?=', 'split éclair'],
    ['=?iso-2022-jp?B?GyRCMnE1RBsoQg==?=', '会議'],
    ['Gr\u00fc\u00dfe', 'Grüße'],
    [Buffer.from('Grüße').toString('latin1'), 'Grüße'],
    ['=?utf-8?Q?broken', '=?utf-8?Q?broken'],
  ])('%s is decoded', async (header, subject) => {
    expect(await parse(lines(`Subject: ${header}`, '', 'text'))).toMatchObject({ subject })
  })

  it('have no date if it cannot be read', async () => {
    expect(await parse(lines('Subject: x', 'Date: the day after tomorrow', '', 'text'))).not.toHaveProperty('date')
  })
})

describe('bodies', () => {
  it.each([
    ['us-ascii', '7bit', 'plain text', 'plain text'],
    ['utf-8', 'quoted-printable', 'caf=C3=A9 and a soft=\r\n break', 'café and a soft break'],
    ['utf-8', 'base64', base64('žluťoučký kůň'), 'žluťoučký kůň'],
    ['iso-8859-1', '8bit', 'caf\u00e9', 'café'],
    ['iso-8859-2', 'quoted-printable', '=B3=F3d=BC', 'łódź'],
    ['windows-1252', '8bit', '\u0093quoted\u0094 \u0080 5', '“quoted” € 5'],
    ['iso-2022-jp', '7bit', '\u001b$B2q5D\u001b(B', '会議'],
    ['shift_jis', 'base64', base64('\u0089\u00ef\u008b\u0063', 'latin1'), '会議'],
    ['koi8-r', '8bit', '\u00d0\u00d2\u00c9\u00d7\u00c5\u00d4', 'привет'],
    ['gb18030', 'base64', 'xOO6ww==', '你好'],
  ])('in %s, encoded as %s', async (charset, encoding, body, text) => {
    const head = [`Content-Type: text/plain; charset=${charset}`, `Content-Transfer-Encoding: ${encoding}`]
    expect(await parse(lines('Subject: x', ...head, '', body, ''))).toMatchObject({ text, defects: [] })
  })

  it('without a charset are in UTF-8, or else in windows-1252', async () => {
    expect(await parse('Subject: x\n\ncaf\u00e9 \u0080\n')).toMatchObject({ text: 'café €' })
    expect(await parse(`Subject: x\n\n${Buffer.from('café €').toString('latin1')}\n`)).toMatchObject({ text: 'café €' })
  })

  it('of HTML give their words, without scripts and styles', async () => {
    const html =
      '<html><head><title>t</title><style>p{}</style></head><body><h1>Hello&nbsp;W&ouml;rld</h1><p>b<b>ol</b>d<br>next</p><script>x()</script></body>'
    expect(await parse(lines('Subject: x', 'Content-Type: text/html', '', html))).toMatchObject({ text: 'Hello Wörld\nbold\nnext' })
  })

  it('with alternatives give the plain one', async () => {
    const mail = await parse(
      lines(
        'Subject: x',
        'Content-Type: multipart/alternative; boundary="a b"',
        '',
        'a preamble',
        '--a b',
        '',
        'plain words',
        '--a b',
        'Content-Type: text/html',
        '',
        '<p>html words</p>',
        '--a b--',
      ),
    )
    expect(mail).toMatchObject({ text: 'plain words', attachments: [], defects: [] })
  })
})

describe('attachments', () => {
  const withPart = (...part: readonly string[]): string =>
    lines('Subject: x', 'Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'see below', '--b', ...part, '--b--', '')

  it('are known by their names, encoded or not', async () => {
    const name = "Content-Disposition: attachment; filename*=iso-8859-1''%DCbersicht.pdf"
    const part = ['Content-Type: application/pdf', name, 'Content-Transfer-Encoding: base64', '', 'AAEC']
    expect(await parse(withPart(...part))).toMatchObject({ text: 'see below', attachments: ['Übersicht.pdf'] })
    const word = 'Content-Type: application/pdf; name="=?utf-8?B?' + base64('Übersicht.pdf') + '?="'
    expect(await parse(withPart(word, '', 'x'))).toMatchObject({ attachments: ['Übersicht.pdf'] })
  })

  it('of text give their words too', async () => {
    const part = ['Content-Type: text/csv', 'Content-Disposition: attachment; filename=crew.csv', '', 'name;seat', 'J\u00f6rg;3']
    expect(await parse(withPart(...part))).toMatchObject({ text: 'see below\n\n\nname;seat\nJörg;3', attachments: ['crew.csv'] })
  })

  it('that are messages give their words, however they are attached', async () => {
    const inner = ['From: Ben <ben@example.org>', 'Subject: =?utf-8?Q?inn=C3=A9r?=', '', 'inner words']
    const forwarded = await parse(withPart('Content-Type: message/rfc822', '', ...inner))
    expect(forwarded.text).toMatch(/see below[^]*innér[^]*inner words/)
    const attached = await parse(
      withPart('Content-Type: message/rfc822', 'Content-Disposition: attachment; filename=old.eml', '', ...inner),
    )
    expect(attached.text).toMatch(/see below[^]*innér[^]*inner words/)
    expect(attached.attachments).toEqual(['old.eml'])
  })

  it('that are deeply nested messages give the first few', async () => {
    let nested = lines('Subject: level 0', '', 'words of level 0')
    for (let level = 1; level <= 40; level++)
      nested = withPart('Content-Type: message/rfc822', 'Content-Disposition: attachment', '', nested)
        .replaceAll('boundary=b\r', `boundary=b${level}\r`)
        .replaceAll(/--b(?=\r|--\r)/g, `--b${level}`)
    await expect(parse(nested)).resolves.toMatchObject({ subject: 'x', defects: [] })
  })
})

describe('a broken message is indexed as far as possible, with its defects', () => {
  it.each([
    ['nothing at all', '', { subject: '', text: '', defects: ['it is empty'] }],
    [
      'words without a header',
      'just some words\n\nand more\n',
      { subject: '', text: 'just some words\n\nand more', defects: ['it has no header'] },
    ],
    ['bytes', '\u0000\u0001\u00ff\u00fe\n\n\u0003\u0000', { subject: '', defects: ['it has no header'] }],
    [
      'parts that nothing divides',
      'Subject: x\nContent-Type: multipart/mixed\n\nsome words\n',
      { subject: 'x', text: 'some words', defects: ['it has parts, but no boundary'] },
    ],
    [
      'parts that are not there',
      'Subject: x\nContent-Type: multipart/mixed; boundary=b\n\nwords\n',
      { subject: 'x', text: 'words', defects: ['its parts are missing'] },
    ],
    [
      'a message that breaks off',
      'Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nthe first words\n--b\nContent-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo',
      { subject: 'x', text: 'the first words', attachments: ['a.png'], defects: ['it breaks off in the middle of its parts'] },
    ],
    [
      'an unknown charset',
      'Subject: x\nContent-Type: text/plain; charset=klingon\n\nreadable words\n',
      { subject: 'x', text: 'readable words', defects: ['its charset "klingon" is unknown'] },
    ],
    ['base64 that is none', 'Subject: x\nContent-Transfer-Encoding: base64\n\n!!! this is no base64 !!!\n', { subject: 'x', defects: [] }],
  ])('%s', async (_, text, expected) => {
    expect(await parse(text)).toMatchObject(expected)
  })

  it('parts nested too deep for the parser: the head and the words are left', async () => {
    const parts = Array.from({ length: 300 }, (_, at) => `--b${at}x\nContent-Type: multipart/mixed; boundary=b${at + 1}x\n\n`)
    const mail = await parse(
      `From: anna@example.org\nSubject: deep\nContent-Type: multipart/mixed; boundary=b0x\n\n${parts.join('')}deepest words\n`,
    )
    expect(mail).toMatchObject({ subject: 'deep', sender: 'anna@example.org' })
    expect(mail.text).toContain('deepest words')
    expect(mail.defects.at(-1)).toMatch(/^it cannot be parsed: .*nesting/)
  })

  it('a header without end', async () => {
    const mail = await parse(`Subject: endless\n${'X-Filler: some words of a header that goes on\n'.repeat(60_000)}`)
    expect(mail).toMatchObject({ subject: 'endless', defects: [expect.stringMatching(/^it cannot be parsed/)] })
  })

  it.each([
    ['short lines', 'Subject: x\n\nfirst words\n' + 'a\n'.repeat(60_000), 'it has more than 50000 short lines: only these were read'],
    ['empty lines', 'Subject: x\n\nfirst words\n' + '\n'.repeat(60_000), 'it has more than 50000 short lines: only these were read'],
    [
      'parts',
      'Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst words\n' + '--b\n\n'.repeat(11_000),
      'it has more than 10000 parts: only these were read',
    ],
    [
      'levels of HTML',
      'Subject: x\nContent-Type: text/html\n\nfirst words' + '<b>'.repeat(1_000),
      'its HTML is nested deeper than 512 levels: only the text before was read',
    ],
    [
      'HTML',
      'Subject: x\nContent-Type: text/html\n\nfirst words' + '<p a='.repeat(1_000_000),
      'its HTML has more than 4000000 characters: only these were read',
    ],
  ])('a message with too many %s', async (_, text, defect) => {
    const mail = await parse(text)
    expect(mail.text).toContain('first words')
    expect(mail).toMatchObject({ subject: 'x', defects: [defect] })
  })

  it('a message that was cut reports that, and not a missing end', async () => {
    const mail = await parse('Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nwords', true)
    expect(mail).toMatchObject({ text: 'words', defects: ['it is too large: only its beginning was read'] })
  })

  it('whatever the bytes are', async () => {
    let seed = 1
    const byte = (): number => (seed = (seed * 48_271) % 2_147_483_647) & 255
    for (let round = 0; round < 200; round++) {
      const head = round % 2 === 0 ? 'Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n' : ''
      const bytes = Buffer.concat([Buffer.from(head), Buffer.from(Array.from({ length: 500 }, byte))])
      const mail = await parseMail({ bytes, isCut: false })
      expect(mail.text.includes('\0') || mail.subject.includes('\0'), `round ${round}`).toBe(false)
    }
  })
})

it('a message in a file may begin with a byte order mark, or with the From line of its mbox', async () => {
  expect(await parse('\u00ef\u00bb\u00bfSubject: x\n\ntext\n')).toMatchObject({ subject: 'x', text: 'text', defects: [] })
  expect(await parse('From anna Mon Jan  5 10:00:00 2026\nSubject: x\n\ntext\n')).toMatchObject({ subject: 'x', defects: [] })
})
