import { describe, expect, it } from 'vitest'
import { slugOf, targetOf } from '../site/links.ts'

const repository = 'https://git.example/project'

describe('a link of a page, on the site', () => {
  it.for([
    ['errors.md#in-tests', 'errors.md#in-tests'],
    ['#here', '#here'],
    ['https://example.org', 'https://example.org'],
    ['README.md', 'pages.md'],
    ['decisions/README.md', 'decisions/index.md'],
    ['../packages/memory', `${repository}/tree/HEAD/packages/memory`],
    ['../packages/memory/', `${repository}/tree/HEAD/packages/memory`],
    ['../ARCHITECTURE.md', `${repository}/blob/HEAD/ARCHITECTURE.md`],
  ] as const)('%s leads to %s', ([href, target]) => {
    expect(targetOf(href, 'glossary.md', repository)).toBe(target)
  })

  it('leads out of a folder of docs as well', () => {
    expect(targetOf('../errors.md', 'contract/event-bus.md', repository)).toBe('../errors.md')
    expect(targetOf('../../LICENSE', 'contract/event-bus.md', repository)).toBe(`${repository}/blob/HEAD/LICENSE`)
  })

  it('keeps its anchor in the repository', () => {
    expect(targetOf('../CONTRIBUTING.md#packing', 'glossary.md', repository)).toBe(`${repository}/blob/HEAD/CONTRIBUTING.md#packing`)
  })

  it('leads nowhere if it leaves docs while the repository has no address', () => {
    expect(targetOf('../LICENSE', 'glossary.md', undefined)).toBeUndefined()
  })
})

describe('the id of a heading', () => {
  it('is the one that GitHub gives', () => {
    expect(slugOf('What `doctor()` finds, and why')).toBe('what-doctor-finds-and-why')
    expect(slugOf('0001 A/B')).toBe('0001-ab')
  })
})
