import type { Waiver } from './harness.ts'
import type { RuleResult } from './rule.ts'

/** What came of a rule, in the light of its waiver: a waiver stands for a known bug, and only as long as it is one. */
export const waive = (result: RuleResult, waiver: Waiver | undefined, today: Date = new Date()): RuleResult => {
  if (waiver === undefined) return result
  const { until, because } = waiver
  if (!isDay(until))
    return { ...result, status: 'error', message: `the waiver of ${result.id} ends on "${until}": give its last day as YYYY-MM-DD` }
  const about = `waived until ${until} because of ${because}`
  if (result.status === 'passed')
    return { ...result, status: 'failed', message: `the rule holds although it is ${about}: take the waiver away` }
  if (result.status !== 'failed') return result
  if (today.toISOString().slice(0, 10) > until)
    return { ...result, message: `the rule was ${about}, which has passed\n${result.message ?? ''}` }
  return { ...result, status: 'waived', message: about }
}

const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))

/** What of a contract waivers are about, whatever its port. */
interface Waivable {
  readonly harness: { readonly waive?: readonly Waiver[] }
  readonly rules: readonly { readonly id: string }[]
}

/** Waivers of rules that the contract does not have: a mistake in the harness. */
export const unknownWaivers = ({ harness, rules }: Waivable): readonly string[] =>
  (harness.waive ?? []).map(({ rule }) => rule).filter((id) => rules.every((rule) => rule.id !== id))
