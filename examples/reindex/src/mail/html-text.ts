import { Parser } from 'htmlparser2'

const silent = new Set(['script', 'style', 'title', 'template'])

/** Elements that do not separate words. */
const inline = new Set(
  'a abbr b bdi bdo big cite code del dfn em font i ins kbd mark nobr q s samp small span strike strong sub sup tt u var wbr'.split(' '),
)

/** Browsers stop at about this depth, too. The parser searches the whole stack for each tag, so its work grows with the depth. */
const maxDepth = 512

/** Longer HTML is data. */
const maxCharacters = 4_000_000

class TooDeep extends Error {}

/** The words of an HTML text. */
export interface HtmlText {
  /** One line for each block. */
  readonly text: string
  /** What was left out, in words; undefined if nothing was. */
  readonly defect?: string
}

/** Reads the words of an HTML text, up to a maximum of characters and of depth. */
export const textOfHtml = (html: string): HtmlText => {
  let text = ''
  let silence = 0
  let depth = 0
  const parser = new Parser({
    onopentagname: (name) => {
      if (++depth > maxDepth) throw new TooDeep()
      if (silent.has(name)) silence++
      if (!inline.has(name)) text += '\n'
    },
    ontext: (data) => {
      if (silence === 0) text += data
    },
    onclosetag: (name) => {
      depth--
      if (silent.has(name)) silence--
      if (!inline.has(name)) text += '\n'
    },
  })
  let defect = html.length > maxCharacters ? `its HTML has more than ${maxCharacters} characters: only these were read` : undefined
  try {
    parser.end(html.slice(0, maxCharacters))
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error
    defect = `its HTML is nested deeper than ${maxDepth} levels: only the text before was read`
  }
  const words = text
    .replaceAll(/[^\S\n]+/g, ' ')
    .replaceAll(/ ?\n[ \n]*/g, '\n')
    .trim()
  return { text: words, ...(defect === undefined ? {} : { defect }) }
}
