import { registerHooks } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { SimulationReport } from '../../src/simulation/simulate-cluster.ts'
import type { Edit } from './mutants.ts'

/** What a worker is asked: to look for the first of some seeds by which a mutant is caught. */
export interface MutantWork {
  readonly edits: readonly Edit[]
  readonly from: number
  readonly to: number
}

/** What it finds; nothing where the mutant gets away. */
export type MutantFound = Pick<SimulationReport, 'seed' | 'broken'> | undefined

const { edits, from, to } = workerData as MutantWork
const applied = new Set<Edit>()

// The sources are changed as they are loaded: nothing in them is there for the sake of the mutants.
registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const own = edits.filter(({ file }) => url.endsWith(`/packages/${file}`))
    if (own.length === 0 || loaded.source === undefined || loaded.source === null) return loaded
    let source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
    for (const edit of own) {
      if (source.split(edit.from).length !== 2) throw new Error(`${edit.file} does not have this once: ${edit.from}`)
      source = source.replace(edit.from, () => edit.to)
      applied.add(edit)
    }
    return { ...loaded, source }
  },
})

const { createMemory } = await import('@taskledger/memory')
const { simulateCluster } = await import('../../src/simulation/simulate-cluster.ts')
if (applied.size !== edits.length) throw new Error(`not applied: ${JSON.stringify(edits.filter((edit) => !applied.has(edit)))}`)
let found: MutantFound
for (let seed = from; seed <= to && found === undefined; seed++) {
  const { broken } = await simulateCluster({ seed, engine: createMemory })
  if (broken.length > 0) found = { seed, broken }
}
parentPort?.postMessage(found)
