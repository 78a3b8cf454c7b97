/** Looks through the built site: every link and anchor leads somewhere, and no page loads anything from elsewhere. */
import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import process from 'node:process'
import { Parser } from 'htmlparser2'

interface Page {
  readonly ids: ReadonlySet<string>
  readonly links: readonly string[]
  /** What a browser loads with the page. */
  readonly resources: readonly string[]
}

const site = join(import.meta.dirname, '../dist')
const read = (file: string): string => readFileSync(join(site, file), 'utf8')

const pageOf = (html: string): Page => {
  const ids = new Set<string>()
  const links: string[] = []
  const resources: string[] = []
  const parser = new Parser({
    onopentag(name, { id, href, src }) {
      if (id !== undefined) ids.add(id)
      if (name === 'a' && href !== undefined) links.push(href)
      else for (const resource of [href, src]) if (resource !== undefined) resources.push(resource)
    },
  })
  parser.end(html)
  return { ids, links, resources }
}

const isElsewhere = (address: string): boolean => /^(?:[a-z]+:)?\/\//.test(address)

const pages = new Map(globSync('**/*.html', { cwd: site }).map((file) => [file, pageOf(read(file))]))

/** Whether a link of a page leads to a page of the site, and to a heading that is there. */
const leadsSomewhere = (link: string, from: string): boolean => {
  const { pathname, hash } = new URL(link, `http://site/${from}`)
  const path = decodeURIComponent(pathname.slice(1))
  const page = pages.get(path === '' || path.endsWith('/') ? posix.join(path, 'index.html') : path)
  return page !== undefined && (hash === '' || page.ids.has(decodeURIComponent(hash.slice(1))))
}

const faults = [...pages].flatMap(([file, { links, resources }]) => [
  ...links
    .filter((link) => !isElsewhere(link) && !link.startsWith('mailto:') && !leadsSomewhere(link, file))
    .map((link) => `${file}: the link ${link} leads nowhere`),
  ...resources.filter(isElsewhere).map((resource) => `${file}: loads ${resource}`),
])
for (const file of globSync('**/*.css', { cwd: site }))
  for (const [, address = ''] of read(file).matchAll(/(?:url\(|@import )["']?([^"')]+)/g))
    if (isElsewhere(address)) faults.push(`${file}: loads ${address}`)

for (const fault of faults) console.error(fault)
console.log(`docs/dist: ${pages.size} pages, ${faults.length} faults`)
process.exitCode = faults.length === 0 ? 0 : 1
