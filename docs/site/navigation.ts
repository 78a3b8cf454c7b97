import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** An entry at the side. */
export interface Item {
  readonly text: string
  readonly link?: string
  readonly collapsed?: boolean
  readonly items?: Item[]
}

const docs = join(import.meta.dirname, '..')
const read = (page: string): string => readFileSync(join(docs, page), 'utf8')

const linksOf = (markdown: string): Item[] =>
  [...markdown.matchAll(/\[([^\]]+)\]\(([\w/.-]+\.md)\)/g)].flatMap(([, text = '', page = '']) =>
    page.startsWith('..') ? [] : [{ text, link: `/${page}` }],
  )

const decisions = (): Item[] =>
  [...read('decisions/README.md').matchAll(/^\| \[(\d+)\]\(([^)]+)\) \| (.+?) +\|$/gm)].map(([, number, page, title = '']) => ({
    text: `${number} ${title}`,
    link: `/decisions/${page}`,
  }))

const contracts = (): Item[] => linksOf(read('rules.md')).filter(({ link }) => link?.startsWith('/contract/'))

/** Pages that lead to pages of their own, which are folded away at the side. */
const withPagesBelow = (item: Item): Item => {
  if (item.link === '/rules.md') return { ...item, collapsed: true, items: contracts() }
  if (item.link === '/decisions/README.md') return { ...item, link: '/decisions/', collapsed: true, items: decisions() }
  return item
}

/** The side of every page of docs: the headings and the pages of README.md, which is the overview on GitHub. */
export const pages = (): Item[] =>
  read('README.md')
    .split(/^## /m)
    .slice(1)
    .map((section) => ({ text: section.slice(0, section.indexOf('\n')), items: linksOf(section).map(withPagesBelow) }))
    .filter(({ items }) => items.length > 0)
