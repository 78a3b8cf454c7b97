import type { Report, RuleResult, RuleStatus } from '../framework/rule.ts'

const order: readonly RuleStatus[] = ['passed', 'failed', 'error', 'not shown']

/** The number of rules in each status: `21 passed, 1 not shown`. */
export const countsOf = (results: readonly RuleResult[]): string =>
  order
    .map((status) => [results.filter((result) => result.status === status).length, status] as const)
    .filter(([count]) => count > 0)
    .map(([count, status]) => `${count} ${status}`)
    .join(', ')

/** A report as text: the counts, and a line for each rule, with the reason where it failed or was not shown. */
export const formatReport = ({ contract, subject, results }: Report): string => {
  const idWidth = Math.max(0, ...results.map(({ id }) => id.length))
  const statusWidth = Math.max(0, ...results.map(({ status }) => status.length))
  const lines = results.map(({ id, status, title, ms, message }) => {
    const line = `  ${id.padEnd(idWidth)}  ${status.padEnd(statusWidth)}  ${title}${status === 'passed' ? ` (${ms.toFixed(0)} ms)` : ''}`
    return status === 'passed' || message === undefined ? line : `${line}\n${indented(message)}`
  })
  return [`${contract} (${subject}): ${countsOf(results)}`, ...lines, ''].join('\n')
}

const indented = (text: string): string => text.replaceAll(/^/gm, '      ')
