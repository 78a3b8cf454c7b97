import { readFileSync } from 'node:fs'
import type { Contract, Harness, Report } from '@taskledger/test-kit'
import { eventStoreContract, workQueueContract } from '@taskledger/test-kit'
import { expect, test } from 'vitest'
import { pageOf, reportsOn } from '../src/compatibility/page.ts'

const harness: Harness<never> = { name: 'none', open: () => Promise.reject(new Error('never opened')) }
const contracts: readonly Contract<unknown>[] = [eventStoreContract(harness), workQueueContract(harness)]

const reportOf = ({ name, rules }: Contract<unknown>, subject: string, isHolding: boolean): Report => ({
  contract: name,
  subject,
  results: rules.map(({ run: _run, hint: _hint, notShown: _notShown, ...described }, index) =>
    index === 0 && !isHolding
      ? { ...described, status: 'not shown', message: 'no connection | to cut', ms: 0 }
      : { ...described, status: index === 1 && !isHolding ? 'failed' : 'passed', ms: 0 },
  ),
  ok: isHolding,
})

test('the page keeps every report: they are read from it as they were written', () => {
  const reports = contracts.flatMap((contract) => [reportOf(contract, 'one 1.0', true), reportOf(contract, 'other 2.0', false)])
  expect(reportsOn(pageOf(contracts, reports), contracts)).toEqual(reports)
})

test('the page in docs is read whole', () => {
  const page = readFileSync(new URL('../../../docs/compatibility.md', import.meta.url), 'utf8')
  const summary = [...page.matchAll(/^\| (event store|work queue) \| (.+?) \| (.+) \|$/gm)].map(([, contract, subject, counts = '']) => [
    contract,
    subject,
    [...counts.matchAll(/\d+/g)].reduce((sum, [count]) => sum + Number(count), 0),
  ])
  const read = reportsOn(page, contracts).map(({ contract, subject, results }) => [contract, subject, results.length])
  expect(read).toEqual(summary)
})
