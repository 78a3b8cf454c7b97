import { inspect } from 'node:util'
import type { Rule } from './rule.ts'

/** A rule did not hold, or could not be tried. Its message has everything that is known. */
export class RuleFailure extends Error {
  readonly ruleId: string
  /** `failed` is a fault of the adapter, `error` a fault of the harness. */
  readonly status: 'failed' | 'error'

  constructor(ruleId: string, status: 'failed' | 'error', message: string, cause: unknown) {
    super(message, { cause })
    this.name = 'RuleFailure'
    this.ruleId = ruleId
    this.status = status
  }
}

/** The description of a rule, whatever its port. */
export type RuleHead = Pick<Rule<unknown>, 'id' | 'title' | 'hint'>

/** What helps to understand the failure of a rule. */
export interface Traces {
  readonly seed: number
  readonly observed: readonly unknown[]
  readonly inspected: readonly unknown[]
  /** What the rule waited for when it failed. */
  readonly awaited?: string | undefined
}

/** `[ES-2.4] of racing writers exactly one wins (cassandra 5.0)` */
const titleOf = (rule: RuleHead, subject: string): string => `[${rule.id}] ${rule.title} (${subject})`

/** Says which rule failed, how, what it saw, and the usual cause. */
export const failureOf = (rule: RuleHead, subject: string, cause: unknown, traces: Traces): RuleFailure => {
  const lines = [
    titleOf(rule, subject),
    messageOf(cause),
    ...(traces.awaited === undefined ? [] : [`While: waiting until ${traces.awaited}`]),
    `Hint: ${rule.hint}`,
    ...traces.observed.map((seen) => `Seen: ${shown(seen)}`),
    ...traces.inspected.map((state) => `Engine: ${shown(state)}`),
    `Seed: ${traces.seed} (set CONTRACT_SEED to it to try again)`,
  ]
  return new RuleFailure(rule.id, 'failed', lines.join('\n'), cause)
}

/** A step of the harness failed or did not end: the rule says nothing about the adapter. */
export class HarnessFailure extends Error {
  /** `open`, `dispose`, `restart`, … */
  readonly step: string

  constructor(step: string, cause: unknown) {
    super(`The harness failed in "${step}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.name = 'HarnessFailure'
    this.step = step
  }
}

/** Says which step of the harness failed. */
export const errorOf = (rule: RuleHead, subject: string, { step, cause }: HarnessFailure): RuleFailure =>
  new RuleFailure(rule.id, 'error', `${titleOf(rule, subject)}\nThe harness failed in "${step}": ${messageOf(cause)}`, cause)

/** An error with its stack and its causes; any other value as it would be logged. */
export const messageOf = (thrown: unknown): string => inspect(thrown, { depth: 3, maxStringLength: 5_000 })

const shown = (value: unknown): string => inspect(value, { depth: 6, maxArrayLength: 40, maxStringLength: 2_000, breakLength: 120 })
