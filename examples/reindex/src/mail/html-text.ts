import { Parser } from 'htmlparser2'

const silent = new Set(['script', 'style', 'title', 'template'])

/** Elements that do not separate words. */
const inline = new Set(
  'a abbr b bdi bdo big cite code del dfn em font i ins kbd mark nobr q s samp small span strike strong sub sup tt u var wbr'.split(' '),
)

/** The words of an HTML text, one line for each block. */
export const textOfHtml = (html: string): string => {
  let text = ''
  let silence = 0
  const parser = new Parser({
    onopentagname: (name) => {
      if (silent.has(name)) silence++
      if (!inline.has(name)) text += '\n'
    },
    ontext: (data) => {
      if (silence === 0) text += data
    },
    onclosetag: (name) => {
      if (silent.has(name)) silence--
      if (!inline.has(name)) text += '\n'
    },
  })
  parser.end(html)
  return text
    .replaceAll(/[^\S\n]+/g, ' ')
    .replaceAll(/ ?\n[ \n]*/g, '\n')
    .trim()
}
