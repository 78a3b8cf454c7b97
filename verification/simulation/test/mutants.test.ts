import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { promises } from '../src/oracle/promises.ts'
import { mutants } from './mutants.ts'
import { runMutant } from './run-mutant.ts'
import { fixedSeeds, seedCount } from './seeds.ts'

// `npm run soak -- --mutants` finds the seeds again, if the plans that seeds draw have changed.
describe('the simulation finds the mutant', () => {
  for (const { name, seed, promise, edits } of mutants)
    it(`${name}: seed ${seed}`, { timeout: 120_000 }, async () => {
      const found = await runMutant({ edits, from: seed, to: seed })
      expect(found?.broken.map((broken) => broken.promise)).toContain(promise)
    })

  it('has seeds that are among the seeds of every run, where nothing else is broken', () => {
    expect(mutants.map(({ seed }) => seed).filter((seed) => seed > seedCount && !fixedSeeds.includes(seed))).toEqual([])
  })

  it('is described on the page about the simulation', async () => {
    const page = await readFile(new URL('../../../docs/simulation.md', import.meta.url), 'utf8')
    const rows = mutants.map(({ name, seed, promise }) => `| ${name} | ${seed} | ${promises[promise]} |`)
    expect(rows.filter((row) => !page.includes(row))).toEqual([])
    expect(Object.values(promises).filter((sentence) => !page.includes(`- ${sentence}`))).toEqual([])
  })
})
