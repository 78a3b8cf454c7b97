import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Item } from './navigation.ts'

interface EntryPoint extends Item {
  readonly link: string
}

const isLinked = (item: Item): item is EntryPoint => item.link !== undefined

/** What typedoc wrote: packages, their entry points where a package has several, the kinds of exports, the exports. */
const generated = (): Item[] => JSON.parse(readFileSync(join(import.meta.dirname, '../api/typedoc-sidebar.json'), 'utf8')) as Item[]

/** The entry points of a package under the names by which they are imported. The folders of their sources have no link. */
const entryPointsOf = (item: Item): readonly EntryPoint[] => {
  const { text, items = [] } = item
  if (!items.some(isLinked)) return [item].filter(isLinked)
  const entryPoints = items.flatMap((each) => (isLinked(each) ? [each] : (each.items ?? []).filter(isLinked)))
  return entryPoints.map((each) => ({ ...each, text: each.text === 'index' ? text : `${text}/${each.text}` }))
}

/** A side for each entry point: with all exports on each of its pages, the pages of the reference would be ten times as large. */
export const apiSidebar = (): Record<string, Item[]> => {
  const entryPoints = generated().flatMap(entryPointsOf)
  const overview: Item = { text: 'API reference', link: '/api/', items: entryPoints.map(({ text, link }) => ({ text, link })) }
  const sides = entryPoints.map(({ text, link, items = [] }): [string, Item[]] => [
    link,
    [overview, { text, items: items.map((kind) => ({ ...kind, collapsed: false })) }],
  ])
  return Object.fromEntries([['/api/', [overview]], ...sides])
}
