import { Worker } from 'node:worker_threads'
import type { MutantFound, MutantWork } from './mutant-worker.ts'

/** Looks for the first seed that finds a mutant, in a thread of its own: the mutant has other sources than this thread. */
export const runMutant = async (work: MutantWork): Promise<MutantFound> => {
  const worker = new Worker(new URL('mutant-worker.ts', import.meta.url), { workerData: work, execArgv: [] })
  try {
    return await new Promise<MutantFound>((resolve, reject) => {
      worker.once('message', (found: MutantFound) => resolve(found))
      worker.once('error', reject)
      worker.once('exit', (code) => reject(new Error(`the thread of a mutant ended with ${code}`)))
    })
  } finally {
    await worker.terminate()
  }
}
