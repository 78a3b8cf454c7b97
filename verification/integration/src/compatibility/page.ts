import type { Contract, Report, RuleResult, RuleStatus } from '@taskledger/test-kit'
import { formatTable } from '@taskledger/test-kit'

type AnyContract = Contract<unknown>

const head = `---
title: Compatibility
group: Reference
---

# Compatibility

The rules of [the conformance kit](rules.md) that the adapters keep, by engine and version. Each engine ran as a single node, Cassandra on
Java 17. \`pnpm compatibility\` writes this page: it starts the servers, and kills them where a rule needs a restart.

`

/** The page with these reports, in the order of the contracts. */
export const pageOf = (contracts: readonly AnyContract[], reports: readonly Report[]): string => {
  const places = contracts.map(({ name }) => name)
  return head + formatTable(reports.toSorted((one, other) => places.indexOf(one.contract) - places.indexOf(other.contract)))
}

/** The words of the table's cells. */
const statuses: ReadonlyMap<string, RuleStatus> = new Map([
  ['holds', 'passed'],
  ['**fails**', 'failed'],
  ['**error**', 'error'],
  ['not shown', 'not shown'],
])

/**
 * The reports that the page was written from: the page is the only record of engines and versions that this run does not have. Titles
 * come from the contracts, so that a rule that was reworded shows its new words, and a rule that is gone goes.
 */
export const reportsOn = (page: string, contracts: readonly AnyContract[]): readonly Report[] =>
  contracts.flatMap((contract) => {
    const section = page.split(/^### /m).find((part) => part.startsWith(`The ${contract.name}\n`)) ?? ''
    const [heads = [], , ...rows] = section.split('\n').filter(isRow).map(cellsOf)
    const subjects = heads.slice(heads.indexOf('It says') + 1)
    return subjects.map((subject): Report => {
      const column = heads.indexOf(subject)
      const words = new Map(rows.map((cells) => [cells[0], cells[column] ?? '']))
      const reasons = new Map([...section.matchAll(reason)].flatMap(([, id, on, why]) => (on === subject ? [[id, why]] : [])))
      const results = contract.rules.flatMap(({ run: _run, hint: _hint, notShown: _notShown, ...described }): readonly RuleResult[] => {
        const status = statuses.get(words.get(described.id) ?? '')
        const message = reasons.get(described.id)
        return status === undefined ? [] : [{ ...described, status, ms: 0, ...(message === undefined ? {} : { message }) }]
      })
      return { contract: contract.name, subject, results, ok: results.every(({ status }) => status === 'passed' || status === 'not shown') }
    })
  })

const reason = /^- (\S+) on (.+) is not shown: (.*)$/gm

const isRow = (line: string): boolean => line.startsWith('| ')

const cellsOf = (line: string): readonly string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'))
