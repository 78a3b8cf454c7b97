import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { promises } from '../src/oracle/promises.ts'
import { mutants } from './mutants.ts'
import { runMutant } from './run-mutant.ts'
import { seedCount } from './seeds.ts'

// `npm run soak -- --mutants` looks for the seeds anew, where what is drawn from them has changed.
describe('the simulation sees what is taken away', () => {
  for (const { name, seed, promise, edits } of mutants)
    it(`${name}: seed ${seed}`, { timeout: 120_000 }, async () => {
      const found = await runMutant({ edits, from: seed, to: seed })
      expect(found?.broken.map((broken) => broken.promise)).toContain(promise)
    })

  it('by seeds that are among those of every run, in which nothing is broken otherwise', () => {
    expect(Math.max(...mutants.map(({ seed }) => seed))).toBeLessThanOrEqual(seedCount)
  })

  it('as the page on the simulation tells', async () => {
    const page = await readFile(new URL('../../../docs/simulation.md', import.meta.url), 'utf8')
    const rows = mutants.map(({ name, seed, promise }) => `| ${name} | ${seed} | ${promises[promise]} |`)
    expect(rows.filter((row) => !page.includes(row))).toEqual([])
    expect(Object.values(promises).filter((sentence) => !page.includes(`- ${sentence}`))).toEqual([])
  })
})
