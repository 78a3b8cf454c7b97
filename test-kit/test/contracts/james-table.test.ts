import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const page = readFileSync(`${root}test-kit/test/contracts/james-table.md`, 'utf8')
const rows = [...page.matchAll(/^\| (?!test \||---)([^|]+) \| ([^|]+) \|$/gm)].map(([, test = '', cover = '']) => ({ test, cover }))
const catalogue = globSync('docs/contract/*.md', { cwd: root })
  .map((file) => readFileSync(root + file, 'utf8'))
  .join('\n')
const ruleIds = new Set([...catalogue.matchAll(/^### (\S+) ·/gm)].map(([, id]) => id))
const testFiles = new Set(globSync('packages/*/test/**/*.test.ts', { cwd: root }).map((file) => basename(file)))

describe("the table of James's tests", () => {
  it('has a row for each of them', () => {
    expect(rows.length).toBeGreaterThan(200)
  })

  it.each(rows)('says what covers $test', ({ cover }) => {
    const ids = [...cover.matchAll(/\b[A-Z]{2}-(?:T\.)?\d+(?:\.\d+)?\b/g)].map(([id]) => id)
    const files = [...cover.matchAll(/`([^`]+\.test\.ts)`/g)].map(([, file]) => file)
    for (const id of ids) expect(ruleIds, id).toContain(id)
    for (const file of files) expect(testFiles, file).toContain(file)
    expect(ids.length + files.length > 0 || cover.startsWith('—')).toBe(true)
  })
})
