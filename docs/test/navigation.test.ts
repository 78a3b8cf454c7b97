import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Item } from '../site/navigation.ts'
import { pages } from '../site/navigation.ts'

const docs = join(import.meta.dirname, '..')
const flat = (items: readonly Item[]): readonly Item[] => items.flatMap((item) => [item, ...flat(item.items ?? [])])

const frontMatterOf = (page: string, key: string): string | undefined =>
  new RegExp(`^---\\n[^]*?^${key}: (.+)$[^]*?^---$`, 'm').exec(readFileSync(join(docs, page), 'utf8'))?.[1]

const written = globSync(['*.md', '{guides,explanation,reference,contract,decisions}/*.md'], { cwd: docs }).filter(
  (page) => !['README.md', 'index.md', 'decisions/README.md'].includes(page),
)

describe('the overview of the docs', () => {
  it('leads to every page, once', () => {
    const links = flat(pages()).flatMap(({ link = '' }) => (link.endsWith('.md') ? [link.slice(1)] : []))
    expect(links.toSorted()).toEqual(written.toSorted())
  })

  it('calls each page by its title', () => {
    const entries = pages().flatMap(({ items = [] }) => items.filter(({ link }) => link?.endsWith('.md')))
    expect(entries.map(({ text }) => text)).toEqual(entries.map(({ link = '' }) => frontMatterOf(link, 'title')))
  })

  it('has each page under its kind', () => {
    const kinds = pages().flatMap(({ text, items = [] }) =>
      items.flatMap(({ link = '' }) => (link.endsWith('.md') ? [[link, text, frontMatterOf(link, 'group')]] : [])),
    )
    expect(kinds.length).toBeGreaterThan(10)
    expect(kinds.filter(([, section, group]) => section !== group)).toEqual([])
  })
})
