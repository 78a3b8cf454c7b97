import { registerHooks } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { SimulationReport } from '../src/simulate-cluster.ts'
import type { Edit } from './mutants.ts'

/** The work of one thread: to look for the first seed that finds a mutant. */
export interface MutantWork {
  readonly edits: readonly Edit[]
  readonly from: number
  readonly to: number
}

/** The report of that seed; nothing if no seed finds the mutant. */
export type MutantFound = Pick<SimulationReport, 'seed' | 'broken'> | undefined

const { edits, from, to } = workerData as MutantWork
const applied = new Set<Edit>()

const withEdits = (source: string, own: readonly Edit[]): string =>
  own.reduce((text, edit) => {
    if (text.split(edit.from).length !== 2) throw new Error(`${edit.file} has to contain this text once: ${edit.from}`)
    applied.add(edit)
    return text.replace(edit.from, () => edit.to)
  }, source)

// The edits are made while the sources are loaded, so that the sources contain nothing for the mutants.
registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const own = edits.filter(({ file }) => url.endsWith(`/packages/${file}`))
    if (own.length === 0 || loaded.source === undefined || loaded.source === null) return loaded
    const source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
    return { ...loaded, source: withEdits(source, own) }
  },
})

const { createMemory } = await import('@taskledger/memory')
const { simulateCluster } = await import('../src/simulate-cluster.ts')
if (applied.size !== edits.length) throw new Error('not every edit was applied: a file was not loaded')
let found: MutantFound
for (let seed = from; seed <= to && found === undefined; seed++) {
  const { broken } = await simulateCluster({ seed, engine: createMemory })
  if (broken.length > 0) found = { seed, broken }
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(found)
