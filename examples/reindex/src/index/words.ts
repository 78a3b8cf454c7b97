/** Parts words for the index, and is not seen by people: zero width space. */
const separator = '\u200b'

const between = /(?<=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])(?=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])/gu

/**
 * Chinese and Japanese put no spaces between words, and the index would take a sentence for one word. Each sign counts as a
 * word instead; those that are searched together have to follow one another.
 */
export const separated = (text: string): string => text.replaceAll(between, separator)

/** The text as it was. */
export const joined = (text: string): string => text.replaceAll(separator, '')

/** What may stand before a word and a colon: only there is it searched for. */
const columns = { subject: 'subject', from: 'sender', to: 'recipients', attachment: 'attachments' } as const

const columnAndWord = new RegExp(`^(${Object.keys(columns).join('|')}):(.*)$`, 'is')

const isColumn = (name: string): name is keyof typeof columns => name in columns

/**
 * The FTS5 query for what a person typed: all of these words, in any order. `"these words"` have to follow one another,
 * `begin*` finds what begins so, `from:`, `to:`, `subject:` and `attachment:` look only there. Everything else is a word and
 * never syntax, so that no input is an error. Nothing where there is no word in it.
 */
export const queryOf = (typed: string): string | undefined => {
  const terms = (typed.match(/(?:[^\s"]*"[^"]*"?\*?|[^\s"]+)/g) ?? []).flatMap((term) => termOf(term) ?? [])
  return terms.length === 0 ? undefined : terms.join(' AND ')
}

const termOf = (term: string): string | undefined => {
  const [, column = '', rest = term] = columnAndWord.exec(term) ?? []
  const words = rest
    .replaceAll(/["\p{Cc}]/gu, ' ')
    .replace(/\*$/, '')
    .trim()
  if (!/[\p{L}\p{N}]/u.test(words)) return undefined
  const name = column.toLowerCase()
  const phrase = `"${separated(words)}"${rest.endsWith('*') ? ' *' : ''}`
  return isColumn(name) ? `${columns[name]} : ${phrase}` : phrase
}
