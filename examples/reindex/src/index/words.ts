/** The zero width space: it separates words for the index, and is invisible. */
const separator = '\u200b'

const between = /(?<=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])(?=[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])/gu

/**
 * Chinese and Japanese have no spaces between words, so a sentence would count as one word. Instead each character counts as a word, and
 * the characters of a search have to follow one another.
 */
export const separated = (text: string): string => text.replaceAll(between, separator)

/** The text without the separators. */
export const joined = (text: string): string => text.replaceAll(separator, '')

/** The prefixes of words, which search only that column. */
const columns = { subject: 'subject', from: 'sender', to: 'recipients', attachment: 'attachments' } as const

const columnAndWord = new RegExp(`^(${Object.keys(columns).join('|')}):(.*)$`, 'is')

const isColumn = (name: string): name is keyof typeof columns => name in columns

/**
 * The FTS5 query of what a person typed: all of the words, in any order. `"these words"` have to follow one another, `begin*` finds words with
 * that beginning, and `from:`, `to:`, `subject:` and `attachment:` search only there. Everything else is a word and never syntax, so that no
 * input is an error. Undefined if the input has no word.
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
