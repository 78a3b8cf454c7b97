import type { Waiver } from './harness.ts'
import type { Contract, RuleResult } from './rule.ts'

/** What came of a rule, in the light of its waiver: a waiver stands for a known bug, and only as long as it is one. */
export const waive = (result: RuleResult, waiver: Waiver | undefined, today: Date = new Date()): RuleResult => {
  if (waiver === undefined || (result.status !== 'failed' && result.status !== 'passed')) return result
  const about = `waived until ${waiver.until} because of ${waiver.because}`
  if (result.status === 'passed') return { ...result, status: 'failed', message: `the rule holds although it is ${about}: take the waiver away` }
  const isExpired = !(today.toISOString().slice(0, 10) <= waiver.until)
  if (isExpired) return { ...result, message: `the rule was ${about}, which has passed\n${result.message ?? ''}` }
  return { ...result, status: 'waived', message: about }
}

/** Waivers of rules that the contract does not have: a mistake in the harness. */
export const unknownWaivers = ({ harness, rules }: Contract<never>): readonly string[] =>
  (harness.waive ?? []).map(({ rule }) => rule).filter((id) => rules.every((rule) => rule.id !== id))
