import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** Everything that looks like a code in the sources of the packages: capitals in quotes. */
const codesInSources = (): ReadonlySet<string> => {
  const files = globSync('packages/*/src/**/*.ts', { cwd: root })
  const codes = files.flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(/'([A-Z]{3,}(?:_[A-Z]+)*)'/g)])
  return new Set(codes.map(([, code = '']) => code))
}

const page = readFileSync(join(root, 'docs/reference/errors.md'), 'utf8')

/** What stands in the first column of a table, in code font. */
const firstColumn = (pattern: RegExp): readonly string[] => [...page.matchAll(pattern)].map(([, word = '']) => word)

const codesInPage = firstColumn(/^\| `([A-Z_]+)` +\|/gm)
const refusalsInPage = firstColumn(/^\| `([a-z]+[A-Za-z]*)` +\|/gm)

describe('the page of errors', () => {
  it('explains every code that a package has', () => {
    const explained = new Set(codesInPage)
    expect([...codesInSources()].filter((code) => !explained.has(code))).toEqual([])
  })

  it('explains no code that no package has', () => {
    const existing = codesInSources()
    expect(codesInPage.filter((code) => !existing.has(code))).toEqual([])
  })

  it('explains each code once', () => {
    expect(codesInPage.filter((code, index) => codesInPage.indexOf(code) !== index)).toEqual([])
  })

  it('explains every refusal, and no other', () => {
    const source = readFileSync(join(root, 'packages/core/src/domain/decide.ts'), 'utf8')
    const [union = ''] = /export type CommandRefusal =[^\n]*(?:\n {2}\|[^\n]*)*/.exec(source) ?? []
    const refusals = [...union.matchAll(/'(\w+)'/g)].map(([, refusal = '']) => refusal)
    expect(refusals.length).toBeGreaterThan(0)
    expect([...refusalsInPage].sort()).toEqual(refusals.sort())
  })

  it('names guards that exist', () => {
    const sources = globSync('packages/core/src/**/*.ts', { cwd: root }).map((file) => readFileSync(join(root, file), 'utf8'))
    const guards = [...page.matchAll(/Guard: `(\w+)`/g)].map(([, guard = '']) => guard)
    expect(guards.length).toBeGreaterThan(0)
    expect(guards.filter((guard) => !sources.some((source) => source.includes(`export const ${guard} =`)))).toEqual([])
  })
})
