import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { chaosRun } from '../src/run.ts'
import { isAllWell } from '../src/verdict/verdict.ts'
import { shortPlan } from '../src/plan/short-plan.ts'
import { reportOf } from '../src/verdict/report.ts'
import { quickPace } from '../src/settings.ts'

// It starts its own servers, since it kills one.
test(
  'processes are killed, connections cut and the broker restarted, and every promise holds',
  { timeout: 300_000 },
  async ({ signal }) => {
    const folder = mkdtempSync(join(tmpdir(), 'taskledger-chaos-'))
    const said: string[] = []
    const settings = { ...quickPace, seed: 1, forMs: 20_000, folder }
    const verdict = await chaosRun({ settings, plan: shortPlan, isRing: false, say: (line) => said.push(line), signal })
    // The evidence stays if a promise was broken.
    expect(isAllWell(verdict), [folder, ...said, ...reportOf(verdict)].join('\n')).toBe(true)
    // How many there are depends on the machine.
    expect(verdict.submitted).toBeGreaterThan(0)
    expect(verdict.awaits).toBeGreaterThan(0)
    rmSync(folder, { recursive: true })
  },
)
