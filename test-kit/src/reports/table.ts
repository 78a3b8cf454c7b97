import { countsOf } from './text.ts'
import type { Report, RuleResult, RuleStatus } from '../framework/rule.ts'

const words: Readonly<Record<RuleStatus, string>> = {
  passed: 'holds',
  failed: '**fails**',
  error: '**error**',
  'not shown': 'not shown',
}

/**
 * The rules that hold on each engine, as Markdown: the counts of each contract, and a table of its rules with a column for each subject.
 * Pass the reports of all engines and versions.
 */
export const formatTable = (reports: readonly Report[]): string => {
  const contracts = [...new Set(reports.map(({ contract }) => contract))]
  const summary = table(
    ['Contract', 'On', 'Rules'],
    reports.map(({ contract, subject, results }) => [contract, subject, countsOf(results)]),
  )
  const sections = contracts.map((contract) =>
    sectionOf(
      contract,
      reports.filter((report) => report.contract === contract),
    ),
  )
  return `${[summary, ...sections].join('\n\n')}\n`
}

const sectionOf = (contract: string, reports: readonly Report[]): string => {
  const rules = new Map(reports.flatMap(({ results }) => results.map((result) => [result.id, result] as const)))
  const rows = [...rules.values()].map(({ id, title }) => [
    id,
    title,
    ...reports.map(({ results }) => cellOf(results.find((result) => result.id === id))),
  ])
  const reasons = reports.flatMap(({ subject, results }) =>
    results.flatMap(({ id, status, message }) =>
      status === 'not shown' && message !== undefined ? [`- ${id} on ${subject} is not shown: ${message}`] : [],
    ),
  )
  const parts = [`### The ${contract}`, table(['Rule', 'It says', ...reports.map(({ subject }) => subject)], rows)]
  return [...parts, ...(reasons.length > 0 ? [reasons.join('\n')] : [])].join('\n\n')
}

const cellOf = (result: RuleResult | undefined): string => (result === undefined ? '' : words[result.status])

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.map(escaped).join(' | ')} |`).join('\n')

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
