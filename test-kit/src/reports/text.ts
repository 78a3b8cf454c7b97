import type { Report, RuleResult, RuleStatus } from '../framework/rule.ts'

const order: readonly RuleStatus[] = ['passed', 'failed', 'error', 'not shown']

/** The number of rules in each status: `21 passed, 1 not shown`. */
export const countsOf = (results: readonly RuleResult[]): string =>
  order
    .map((status) => [results.filter((result) => result.status === status).length, status] as const)
    .filter(([count]) => count > 0)
    .map(([count, status]) => `${count} ${status}`)
    .join(', ')

/** The columns of the lines of a report. */
export interface Columns {
  readonly idWidth: number
  readonly statusWidth: number
  /** May colour the status. Default: plain text. */
  readonly paint?: (status: RuleStatus, text: string) => string
}

/** A result as text: a line, and the reason where the rule failed or was not shown. */
export const formatResult = (
  { id, status, title, ms, message }: RuleResult,
  { idWidth, statusWidth, paint = (_status, text) => text }: Columns,
): string => {
  const time = status === 'not shown' ? '' : ` (${ms.toFixed(0)} ms)`
  const line = `  ${id.padEnd(idWidth)}  ${paint(status, status.padEnd(statusWidth))}  ${title}${time}`
  return status === 'passed' || message === undefined ? line : `${line}\n${indented(message)}`
}

/** The widest text, in characters. */
export const widthOf = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length))

/** A report as text: the counts, and a line for each rule, with the reason where it failed or was not shown. */
export const formatReport = ({ contract, subject, results }: Report): string => {
  const columns = { idWidth: widthOf(results.map(({ id }) => id)), statusWidth: widthOf(results.map(({ status }) => status)) }
  return [`${contract} (${subject}): ${countsOf(results)}`, ...results.map((result) => formatResult(result, columns)), ''].join('\n')
}

const indented = (text: string): string => text.replaceAll(/^/gm, '      ')
