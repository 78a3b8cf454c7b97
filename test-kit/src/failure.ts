import { inspect } from 'node:util'
import type { Contract, Rule } from './rule.ts'

/** A rule did not hold, or could not be tried. Its message is all that there is to know. */
export class RuleFailure extends Error {
  readonly ruleId: string
  /** `failed` speaks of the adapter, `error` of the harness. */
  readonly status: 'failed' | 'error'

  constructor(ruleId: string, status: 'failed' | 'error', message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'RuleFailure'
    this.ruleId = ruleId
    this.status = status
  }
}

/** What a rule leaves behind that helps to understand its failure. */
export interface Traces {
  readonly seed: number
  readonly observed: readonly unknown[]
  readonly inspected: readonly unknown[]
}

/** `[ES-2.4] of racing writers exactly one wins (MUST, cassandra 5.0)` */
export const titleOf = (rule: Pick<Rule<never>, 'id' | 'title' | 'level'>, contract: Contract<never>): string =>
  `[${rule.id}] ${rule.title} (${rule.level.toUpperCase()}, ${contract.harness.name})`

/** Says which rule, what went wrong, what was seen, and what is usually the cause. */
export const failureOf = (rule: Rule<never>, contract: Contract<never>, cause: unknown, traces: Traces): RuleFailure => {
  const lines = [
    titleOf(rule, contract),
    messageOf(cause),
    `Hint: ${rule.hint}`,
    ...traces.observed.map((seen) => `Seen: ${shown(seen)}`),
    ...traces.inspected.map((state) => `Engine: ${shown(state)}`),
    `Seed: ${traces.seed} (set CONTRACT_SEED to it to try again)`,
  ]
  return new RuleFailure(rule.id, 'failed', lines.join('\n'), cause)
}

/** Says that the harness could not do its part: nothing is known of the adapter. */
export const errorOf = (rule: Rule<never>, contract: Contract<never>, step: string, cause: unknown): RuleFailure =>
  new RuleFailure(rule.id, 'error', `${titleOf(rule, contract)}\nThe harness failed to ${step}: ${messageOf(cause)}`, cause)

export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? (thrown.stack ?? thrown.message) : inspect(thrown))

const shown = (value: unknown): string => inspect(value, { depth: 6, maxArrayLength: 40, maxStringLength: 2_000, breakLength: 120 })
