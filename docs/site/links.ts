import { posix } from 'node:path'
import { addressIn, repository } from './repository.ts'

/** What is used of a token of markdown-it. */
interface Token {
  type: string
  tag: string
  children: Token[] | null
  attrGet(name: string): string | null
  attrSet(name: string, value: string): void
}

interface State {
  readonly tokens: readonly Token[]
  readonly env: { readonly relativePath: string }
}

/** What is used of markdown-it. VitePress's own types need the browser's, which nothing else here knows. */
interface MarkdownIt {
  readonly core: { readonly ruler: { push(name: string, rule: (state: State) => void): void } }
}

/** The ids that GitHub gives to headings, so that a link to a heading works there and here. */
export const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

/** Where a link on a page of docs leads: nowhere, if it leaves docs and the repository has no address. */
export const targetOf = (href: string, page: string, base: string | undefined): string | undefined => {
  if (/^(?:[a-z]+:|#|\/)/.test(href)) return href
  const [to = '', anchor] = href.split('#')
  const path = posix.join('docs', posix.dirname(page), to).replace(/\/$/, '')
  if (path.startsWith('docs/')) return href.replace(/(?<=^|\/)README\.md/, path === 'docs/README.md' ? 'pages.md' : 'index.md')
  if (base === undefined) return undefined
  return `${addressIn(base, path)}${anchor === undefined ? '' : `#${anchor}`}`
}

/** The tokens of a line of text, its links rewritten. The text of a link that leads nowhere is shown as code. */
const relinked = (tokens: readonly Token[], page: string): Token[] => {
  let isLost = false
  return tokens.filter((token) => {
    if (token.type === 'link_open') {
      const target = targetOf(token.attrGet('href') ?? '', page, repository)
      isLost = target === undefined
      if (target !== undefined) token.attrSet('href', target)
      return !isLost
    }
    if (isLost && token.type === 'text') Object.assign(token, { type: 'code_inline', tag: 'code' })
    if (!isLost || token.type !== 'link_close') return true
    isLost = false
    return false
  })
}

/** Pages link to files of the repository by relative paths, as GitHub wants it: on the site these links lead to the repository. */
export const linkToRepository = (markdown: MarkdownIt): void => {
  markdown.core.ruler.push('links-to-repository', ({ tokens, env }) => {
    for (const token of tokens) if (token.children !== null) token.children = relinked(token.children, env.relativePath)
  })
}
