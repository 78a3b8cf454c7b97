import { writeFileSync, appendFileSync } from 'node:fs'
import { it } from 'vitest'
import { runContract, taskManagerContract } from '../src/index.ts'
import { breakages } from './mutants/task-manager.mutants.ts'
import { brokenHarness } from './mutants/task-manager.broken.ts'
const only = process.env['MUTANT']
it('matrix', async () => {
  for (const [name, breakage] of Object.entries(breakages)) {
    if (only !== undefined && !name.includes(only)) continue
    const begun = Date.now()
    const report = await runContract(taskManagerContract(brokenHarness(breakage)), { concurrency: 12 })
    const failed = report.results.filter(({ status }) => status === 'failed' || status === 'error')
    appendFileSync('/tmp/matrix.txt', `${name} (${Date.now() - begun} ms): ${failed.map(({ id, status, ms }) => id + (status === 'error' ? '!' : '') + `(${Math.round(ms)})`).join(' ')}\n`)
    appendFileSync('/tmp/matrix-detail.txt', `#### ${name}\n${failed.map(({ id, message }) => id + ': ' + (message ?? '').split('\n').slice(1, 3).join(' | ')).join('\n')}\n`)
  }
}, 3_000_000)
