import type { Kind, RuleResult } from './rule.ts'

/** A rule began. */
export interface RuleBegan {
  readonly type: 'rule began'
  readonly id: string
  readonly kind: Kind
  readonly title: string
}

/** A step of a rule began, and the step before it ended. */
export interface StepBegan {
  readonly type: 'step began'
  readonly id: string
  /** `open`, `rule`, a hook such as `restart`, `close the clients`, `dispose`. */
  readonly step: string
  /** How long the step may take, in milliseconds. */
  readonly boundMs: number
  /** The sentences of what the rule waits for at the moment. */
  awaited(): readonly string[]
}

/** A rule ended. */
export interface RuleEnded {
  readonly type: 'rule ended'
  readonly result: RuleResult
}

/** What a run tells while it goes on. */
export type RunEvent = RuleBegan | StepBegan | RuleEnded
