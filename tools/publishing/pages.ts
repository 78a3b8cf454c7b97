import { globSync } from 'node:fs'
import { posix, sep } from 'node:path'
import { changeLinks } from './links.ts'

/** The pages of the workspace that a package brings with it, by the folder of the package. */
const patterns: Readonly<Record<string, readonly string[]>> = {
  'test-kit': ['docs/contract/*.md', 'docs/rules.md', 'docs/guides/writing-an-adapter.md'],
}

/** The pages that a package brings with it, beside its README: paths in the workspace, and in the package. */
export const pagesOf = (workspace: string, folder: string): readonly string[] =>
  globSync([...(patterns[folder] ?? [])], { cwd: workspace })
    .map((file) => file.split(sep).join('/'))
    .toSorted()

/**
 * A page with links to what is in the package alone: the other pages and its README. Of any other link the text stays, in brackets.
 *
 * @param page The path of the page in the workspace.
 */
export const linkWithin = (markdown: string, page: string, folder: string, pages: readonly string[]): string => {
  const readme = `${folder}/README.md`
  const inPackage = (path: string): string | undefined => (path === readme ? 'README.md' : pages.includes(path) ? path : undefined)
  const from = posix.dirname(inPackage(page) ?? page)
  return changeLinks(markdown, (link) => {
    const [path = '', anchor] = link.split('#')
    const target = inPackage(posix.join(posix.dirname(page), path))
    if (target === undefined) return undefined
    return [posix.relative(from, target), ...(anchor === undefined ? [] : [anchor])].join('#')
  })
}
