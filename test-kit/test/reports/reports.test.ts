import type { Report } from '@taskledger/test-kit'
import { formatReport, formatTable, runContract, toJUnit } from '@taskledger/test-kit'
import { describe, expect, it } from 'vitest'
import { breaks, contractOf, holds, ruleOf } from '../framework/sample-contract.ts'

describe('a report', () => {
  const notShown = { ...holds, id: 'S-9', notShown: () => 'no <hook> & "such"' }

  const report = (): Promise<Report> => runContract(contractOf([holds, breaks, notShown]), { seed: 7 })

  it('as text: the counts first, then the rules with reasons', async () => {
    const text = formatReport(await report())
    expect(text).toContain('sample (engine 1.0): 1 passed, 1 failed, 1 not shown')
    expect(text).toContain('no <hook> & "such"')
  })

  it('as JUnit', async () => {
    const xml = toJUnit([await report()])
    expect(xml).toContain('tests="3" failures="1" errors="0" skipped="1"')
    expect(xml).toContain('no &lt;hook&gt; &amp; &quot;such&quot;')
    const odd = ruleOf('S-18', () => Promise.reject(new Error('\u0000 \u001b \ud800 😀')))
    expect(toJUnit([await runContract(contractOf([odd]))])).toContain('\ufffd \ufffd \ufffd 😀')
  })

  it('as a table of all rules, with a column for each engine and reasons', async () => {
    const other = { ...(await runContract(contractOf([holds]), { seed: 7 })), subject: 'engine | 2.0' }
    const text = formatTable([await report(), other])
    expect(text).toContain('| sample | engine 1.0 | 1 passed, 1 failed, 1 not shown |')
    expect(text).toContain('| Rule | It says | engine 1.0 | engine \\| 2.0 |')
    expect(text).toContain(`| ${holds.id} | ${holds.title} | holds | holds |`)
    expect(text).toMatch(/\| S-9 \| .* \| not shown \|  \|/)
    expect(text).toContain('- S-9 on engine 1.0 is not shown: no <hook> & "such"')
  })
})
