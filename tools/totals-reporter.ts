import { writeFileSync } from 'node:fs'
import process from 'node:process'
import type { Reporter, TestModule } from 'vitest/node'

/** The number of tests by how they ended. */
export interface Totals {
  passed: number
  failed: number
  skipped: number
}

/** Writes the totals of a run as JSON to the file that `TOTALS_FILE` names, for tools/verify.ts. */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const totals = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) totals[test.result().state]++
      if (module.errors().length > 0) totals.failed++ // the file itself did not load
    }
    const { pending, ...ended } = totals
    const file = process.env['TOTALS_FILE']
    if (file !== undefined) writeFileSync(file, JSON.stringify({ ...ended, failed: ended.failed + pending } satisfies Totals))
  }
}
