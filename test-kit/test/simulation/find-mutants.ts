import process from 'node:process'
import { Worker } from 'node:worker_threads'
import type { MutantFound, MutantWork } from './mutant-worker.ts'
import { mutants } from './mutants.ts'
const only = process.argv[2] ?? ''
for (const { name, edits } of mutants.filter((m) => m.name.includes(only))) {
  const began = Date.now()
  const worker = new Worker(new URL('mutant-worker.ts', import.meta.url), { workerData: { edits, from: Number(process.argv[3] ?? 1), to: Number(process.argv[4] ?? 2000) } satisfies MutantWork })
  const found = await new Promise<MutantFound | Error>((resolve) => {
    const timer = setTimeout(() => { void worker.terminate(); resolve(new Error('too long')) }, 60_000)
    worker.once('message', (m) => { clearTimeout(timer); resolve(m) })
    worker.once('error', (e) => { clearTimeout(timer); resolve(e as Error) })
  })
  console.log(`${name}: ${found instanceof Error ? found.message : found === undefined ? 'GETS AWAY' : `${found.seed} ${found.broken[0]?.promise} ${found.broken[0]?.detail.slice(0, 150)}`} (${Date.now() - began} ms)`)
}
